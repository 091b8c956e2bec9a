import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findPython } from '../../scripts/python.mjs';
import { createProject, type Run, run, runTypeScript, type Snippet, snippetsOf } from '../support/docs.ts';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Site, startSite } from '../support/servers/site.ts';

/** The examples of the guides as they stand there, in each language, against a real server. */

const KEY = 'test-key-0123456789abcdef';
const LANGUAGES = ['sh', 'ts', 'python'] as const;

/** What each example prints, by guide and heading; the same in every language. */
const EXAMPLES: Record<string, Record<string, RegExp>> = {
  pages: { 'Scraping pages': /The oak door|job_id/, 'One page in one call': /It is made of oak/ },
  crawling: { 'Crawling a site': /docs\/use\.html|job_id/, 'Mapping a site': /pricing\.html/ },
  leads: { 'Finding leads': /Oak Joinery/ },
  links: { 'Short links, clicks and statistics': /total_clicks/ },
  'being-notified': { Live: /job\.completed/, Subscriptions: /hooks\/leadengine/ },
  schedules: { 'Running jobs again and again': /prices each morning/ },
};

let site: Site;
let fleet: Fleet;
let project: string;
let python: string;
let job: string;
/** What the examples of all guides begin with. */
let preamble: Record<string, string>;

const page = (title: string, body: string) =>
  `<!doctype html><html lang="en"><title>${title}</title><main><h1>${title}</h1>${body}</main></html>`;
const JOINERY = {
  ...{ type: 'node', id: 1, lat: 53.8, lon: -1.5 },
  tags: {
    ...{ craft: 'joiner', name: 'Oak Joinery', email: 'info@oak-joinery.co.uk', phone: '+44 113 496 0000' },
    ...{ 'addr:city': 'Leeds', 'addr:country': 'GB' },
  },
};

beforeAll(async () => {
  const found = findPython();
  if (!found) throw new Error('the examples in Python need its package: python3 -m pip install requests');
  python = found;
  [project, site] = await Promise.all([
    createProject(),
    startSite({
      pages: {
        '/': page('The oak door', '<p>It is made of oak.</p><a href="/pricing.html">Pricing</a>'),
        '/pricing.html': page('Pricing', '<p>A door is a hundred pounds.</p>'),
        '/docs/': page('Docs', '<p>All of it.</p><a href="/docs/use.html">Use</a>'),
        '/docs/use.html': page('Use', '<p>Open the door.</p>'),
        '/html/': '<div id="links" class="results"><div class="no-results">No results.</div></div>',
        '/interpreter': (_request, response) => {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ version: 0.6, elements: [JOINERY] }));
        },
      },
    }),
  ]);
  fleet = await startFleet({
    ...{ driver: 'embedded', workers: 1 },
    env: { HOST_GAP_MS: '0', DUCKDUCKGO_URL: site.url, OVERPASS_URL: `${site.url}/interpreter` },
  });
  job = await fleet.client.post({ urls: [`${site.url}/`] });
  await fleet.client.until(job, 'completed');
  const first = await snippetsOf('docs/guide/pages.md');
  const firstOf = (wanted: string) => first.find(({ language }) => language === wanted)?.code ?? '';
  preamble = {
    ts: firstOf('ts').split('\n\n').slice(0, 2).join('\n\n'),
    python: firstOf('python').split('\n\n').slice(0, 2).join('\n\n'),
  };
});
afterAll(async () => {
  await fleet?.stop();
  await site?.close();
  await rm(project, { recursive: true, force: true });
});

const local = (code: string) =>
  code
    .replace(/(?:http:\/\/)?(?:127\.0\.0\.1|localhost):3000/g, fleet.api.ready.url ?? '')
    .replaceAll('https://example.com', site.url);

async function execute({ language, code }: Snippet, folder: string): Promise<Run> {
  const cwd = join(project, folder);
  await mkdir(cwd, { recursive: true });
  const env = { KEY, JOB: job };
  if (language === 'sh') return run('bash', ['-euc', local(code)], { cwd, env });
  const begin = preamble[language] ?? '';
  const whole = local(code.includes(begin) ? code : `${begin}\n${code}`);
  if (language === 'ts') return runTypeScript(whole, { project, folder, env });
  await writeFile(join(cwd, 'main.py'), whole);
  return run(python, ['main.py'], { cwd, env });
}

describe.each(Object.entries(EXAMPLES))('docs/guide/%s.md', (guide, prints) => {
  test('has every example in every language', async () => {
    const snippets = await snippetsOf(`docs/guide/${guide}.md`);
    const inLanguages = snippets.filter(({ language }) => LANGUAGES.some((one) => one === language));
    const found = inLanguages.map(({ heading, language }) => `${heading}: ${language}`);
    expect(found).toEqual(
      Object.keys(prints).flatMap((heading) => LANGUAGES.map((one) => `${heading}: ${one}`)),
    );
  });

  test.each(
    Object.entries(prints).flatMap(([heading, words]) =>
      LANGUAGES.map((one) => [heading, one, words] as const),
    ),
  )('%s, in %s', async (heading, language, words) => {
    const snippets = await snippetsOf(`docs/guide/${guide}.md`);
    const snippet = snippets.find((one) => one.heading === heading && one.language === language);
    const folder = `${guide}-${language}-${heading.replace(/\W/g, '')}`;
    const { stdout, stderr, exitCode } = await execute(snippet as Snippet, folder);
    const files = await readFile(join(project, folder, 'leads.csv'), 'utf8').catch(() => '');
    expect({ exitCode, stderr: language === 'sh' ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout + files).toMatch(words);
    expect(stdout).not.toMatch(/about:blank/);
  });
});
