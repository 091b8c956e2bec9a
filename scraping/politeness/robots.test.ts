import { isAllowed, permissionsFor, productTokenOf } from './robots-permission.ts';
import { MAX_ROBOTS_BYTES, parseRobots } from './robots-txt.ts';

const read = (text: string) => parseRobots(Buffer.from(text));
const may = (robotsTxt: string, path: string, agent = 'LeadEngine') =>
  isAllowed(permissionsFor(read(robotsTxt), agent), new URL(path, 'https://example.com/').href);

test('the group that names the crawler applies, and the `*` group does not', () => {
  const rules = 'User-agent: *\nDisallow: /\n\nUser-agent: leadengine\nDisallow: /private\n';
  expect(may(rules, '/page')).toBe(true);
  expect(may(rules, '/private/page')).toBe(false);
  expect(may(rules, '/page', 'OtherBot')).toBe(false);
});

test('groups with the same agent are merged, and consecutive agents share rules', () => {
  const rules = 'User-agent: a\nUser-agent: b\nDisallow: /x\n\nUser-agent: b\nDisallow: /y\n';
  expect([may(rules, '/x', 'a'), may(rules, '/y', 'a')]).toEqual([false, true]);
  expect([may(rules, '/x', 'b'), may(rules, '/y', 'b')]).toEqual([false, false]);
});

test('the longest matching rule decides, and `allow` wins at equal length', () => {
  const rules = 'User-agent: *\nDisallow: /shop\nAllow: /shop/open\nDisallow: /both\nAllow: /both\n';
  expect(may(rules, '/shop/closed')).toBe(false);
  expect(may(rules, '/shop/open/1')).toBe(true);
  expect(may(rules, '/both')).toBe(true);
});

test('stars and the end of a path', () => {
  const rules = 'User-agent: *\nDisallow: /*.pdf$\nDisallow: /a/*/c\n';
  expect(may(rules, '/file.pdf')).toBe(false);
  expect(may(rules, '/file.pdf?download')).toBe(true);
  expect(may(rules, '/a/b/b/c/d')).toBe(false);
  expect(may(rules, '/a/c')).toBe(true);
});

test('a rule with non-ASCII letters matches a percent-encoded URL', () => {
  expect(may('User-agent: *\nDisallow: /caf\u00e9\n', '/café')).toBe(false);
  expect(may('User-agent: *\nDisallow: /caf%c3%a9\n', '/café')).toBe(false);
});

test.each([
  ['no colon', 'user-agent leadengine\ndisallow /x\n'],
  ['a version behind the name', 'User-agent: LeadEngine/2.0\nDisallow: /x\n'],
  ['a second word behind the name', 'User-agent: LeadEngine the crawler\nDisallow: /x\n'],
  ['a common misspelling', 'Useragent: leadengine\nDissallow: /x\n'],
  ['half a byte-order mark', '\u00efUser-agent: *\nDisallow: /x\n'],
  ['old line ends', 'User-agent: *\rDisallow: /x\r'],
  ['a comment behind the rule', 'User-agent: * # all\nDisallow: /x# not this\n'],
])('%s is understood', (_, text) => {
  expect(
    isAllowed(
      permissionsFor(parseRobots(Buffer.from(text, 'latin1')), 'LeadEngine'),
      'https://example.com/x/y',
    ),
  ).toBe(false);
});

test('a file that is no robots.txt allows everything', () => {
  expect(may('<!doctype html><title>Not found</title>', '/x')).toBe(true);
  expect(may('', '/x')).toBe(true);
  expect(may('Disallow: /', '/x')).toBe(true);
});

test('the delay is that of the groups that apply to the crawler', () => {
  const robots = read(
    'User-agent: *\nCrawl-delay: 10\n\nUser-agent: LeadEngine\nCrawl-delay: 1.5\nDisallow:\n',
  );
  expect(permissionsFor(robots, 'LeadEngine').crawlDelay).toBe(1.5);
  expect(permissionsFor(robots, 'OtherBot').crawlDelay).toBe(10);
  expect(permissionsFor(read('User-agent: *\nCrawl-delay: soon\n'), 'OtherBot').crawlDelay).toBeNull();
});

test('sitemaps are read anywhere in the file and belong to no group', () => {
  const robots = read('Sitemap: https://example.com/a.xml\nUser-agent: *\nsitemap:/b.xml\nDisallow: /x\n');
  expect(robots.sitemaps).toEqual(['https://example.com/a.xml', '/b.xml']);
  expect(isAllowed(permissionsFor(robots, 'LeadEngine'), 'https://example.com/x')).toBe(false);
});

test('a hostile file takes linear time and is ignored beyond the size limit', () => {
  const stars = `User-agent: *\nDisallow: /${'*a'.repeat(2000)}$\n`;
  expect(may(stars, `/${'a'.repeat(1999)}b`)).toBe(true);
  expect(
    may(`User-agent: *\n${`Disallow: /${'*a'.repeat(4000)}b\n`.repeat(60)}`, `/${'a'.repeat(2000)}`),
  ).toBe(true);
  const long = `User-agent: *\n${'#'.repeat(MAX_ROBOTS_BYTES)}\nDisallow: /\n`;
  expect(may(long, '/x')).toBe(true);
});

test.each([
  ['LeadEngine/0.1', 'LeadEngine'],
  ['Lead-Bot/2.0 (+https://example.com/bot)', 'Lead-Bot'],
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 LeadEngine/1',
    'LeadEngine',
  ],
  ['Mozilla/5.0 (compatible; x)', 'Mozilla'],
])('robots.txt knows %s as %s', (userAgent, token) => {
  expect(productTokenOf(userAgent)).toBe(token);
});

test('a delay applies to the agents named before it, however many there are', () => {
  const robots = read(
    'User-agent: a\nCrawl-delay: 1\nUser-agent: b\nCrawl-delay: 3\nUser-agent: c\nDisallow: /x\n',
  );
  expect(['a', 'b', 'c'].map((agent) => permissionsFor(robots, agent).crawlDelay)).toEqual([3, 3, null]);
  const { groups } = read('user-agent:a\ncrawl-delay:1\n'.repeat(10_000));
  expect(groups.map(({ agents, crawlDelays }) => [agents.size, crawlDelays.length])).toEqual([[1, 10_000]]);
});

test('beyond the work limit rules with stars allow no more than they would', () => {
  const rules = Array.from({ length: 30_000 }, (_, n) => `Disallow: /p*${n}x$\n`).join('');
  expect(may(`User-agent: *\n${rules}`, `/q${'a'.repeat(4000)}`)).toBe(true);
  expect(may(`User-agent: *\n${rules}`, `/p${'a'.repeat(4000)}`)).toBe(false);
  expect(may(`User-agent: *\n${rules}`, `/p${'a'.repeat(100)}`)).toBe(true);
});
