import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createProject, type Run, run, runTypeScript, snippetsOf } from '../support/docs.ts';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Site, startSite } from '../support/servers/site.ts';

/** Each recipe of docs/guide/cookbook.md as it stands there, on pages of this machine. */

const root = join(import.meta.dirname, '../..');
const recipes = (await snippetsOf('docs/guide/cookbook.md')).filter(({ language }) => language === 'ts');

let site: Site;
let fleet: Fleet;
let project: string;
let price = '£1,299.00';
/** Links of the home page that come and go. */
let news = '<a href="/www/old.html">Old</a>';
const contacts: { key: unknown; body: unknown }[] = [];

const page = (title: string, body: string, head = '') =>
  `<!doctype html><html lang="en-GB"><title>${title}</title>${head}<main><h1>${title}</h1>${body}</main></html>`;
const html =
  (text: () => string) => (_: unknown, response: { end(text: string): unknown; setHeader: Header }) => {
    response.setHeader('content-type', 'text/html');
    response.end(text());
  };
type Header = (name: string, value: string) => unknown;
const article = (n: number) =>
  page(
    `Article ${n}`,
    `<p>Article ${n} tells what happened to the oak door.</p>`,
    `<meta property="article:published_time" content="2026-01-0${n}T08:00:00Z">`,
  );
const company = (name: string, contact: string) =>
  page(name, `<p>${name}, 1 Mill Lane, Leeds LS1 4AB. ${contact}</p>`);
const LONG = Array.from({ length: 60 }, (_, n) => `<p>Step ${n} of the installation.</p>`).join('');

beforeAll(async () => {
  [project, site] = await Promise.all([
    createProject(),
    startSite({
      pages: {
        '/docs/': page(
          'Docs',
          '<p>All of it.</p><a href="/docs/install.html">Install</a> <a href="/docs/use.html">Use</a>',
        ),
        '/docs/install.html': page('Install', `${LONG}<p>That was the last step of all.</p>`),
        '/docs/use.html': page('Use', '<p>How it is used.</p>'),
        '/shop/saw': html(() => page('Saw', `<p class="price">${price}</p>`)),
        '/shop/plane': page('Plane', '<p class="price">£89.50</p>'),
        '/joinery/': company(
          'Oak Joinery Ltd',
          '<a href="mailto:info@oak-joinery.co.uk">info@oak-joinery.co.uk</a>',
        ),
        '/windows/': company('Blind Windows Ltd', 'Come and see us.'),
        '/crm/contacts': async (request, response) => {
          let body = '';
          for await (const chunk of request) body += chunk;
          contacts.push({ key: request.headers['idempotency-key'], body: JSON.parse(body) });
          response.writeHead(201).end();
        },
        '/www/': html(() => page('Home', `<p>Hello.</p>${news} <a href="/www/gone.html">Gone</a>`)),
        '/www/old.html': page('Old', '<p>It was here before.</p>'),
        '/www/new.html': page('New', '<p>It was not here before.</p>'),
        '/news/': page('News', [1, 3, 2].map((n) => `<a href="/news/${n}.html">${n}</a>`).join(' ')),
        ...Object.fromEntries([1, 2, 3].map((n) => [`/news/${n}.html`, article(n)])),
        '/jobs/': page(
          'Jobs',
          `<ul><li class="job"><h2>Joiner, "oak"</h2><span class="company">Acme</span> <a href="/jobs/1">More</a></li>
           <li class="job"><h2>Carver</h2><a href="/jobs/2">More</a></li></ul>`,
        ),
        '/terms/': page('Terms', '<p>These are the terms.</p><a href="/terms/old.html">Old terms</a>'),
        '/terms/old.html': page('Old terms', '<p>Those were the terms.</p>'),
      },
      otherwise: (_request, response) => {
        response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Nothing here</h1>');
      },
    }),
  ]);
  fleet = await startFleet({
    driver: 'embedded',
    workers: 1,
    env: { HOST_GAP_MS: '0', WORKER_CONCURRENCY: '2' },
  });
});
afterAll(async () => {
  await fleet?.stop();
  await site?.close();
  await rm(project, { recursive: true, force: true });
});

/** Addresses of the cookbook stand for folders of the local site. */
const local = (code: string) => code.replace(/https:\/\/(\w+)\.example\.com\//g, `${site.url}/$1/`);

/** Runs the recipe of this number in a folder of its own. */
async function cook(number: number): Promise<Run> {
  const recipe = recipes.find(
    ({ heading }) => heading.startsWith(`${number} `) || heading.startsWith(`${number}. `),
  );
  const env = { LEADENGINE_URL: fleet.api.ready.url ?? '', LEADENGINE_API_KEY: 'test-key-0123456789abcdef' };
  return runTypeScript(local(recipe?.code ?? ''), { project, folder: String(number), env });
}
const file = (name: string) => readFile(join(project, name), 'utf8');
const done = (stdout: string) => ({ exitCode: 0, stderr: '', stdout });

test('the cookbook has ten recipes, whose types are right', async () => {
  expect(recipes.map(({ heading }) => Number.parseInt(heading, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const [n, { code }] of recipes.entries()) await writeFile(join(project, `${n + 1}.ts`), code);
  const options = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
  const types = ['--lib', 'es2023,dom,dom.iterable', '--types', 'node', '--moduleDetection', 'force'];
  const files = recipes.map((_, n) => `${n + 1}.ts`);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  expect(
    await run(process.execPath, [tsc, ...options, ...types, ...files], { cwd: project, env: {} }),
  ).toEqual(done(''));
});

test('1: a documentation site becomes a folder', async () => {
  expect(await cook(1)).toEqual(done('3 files\n'));
  expect((await readdir(join(project, '1/docs'))).sort()).toEqual([
    'docs-install.md',
    'docs-use.md',
    'docs.md',
  ]);
  expect(await file('1/docs/docs-use.md')).toBe(
    `---\nurl: ${site.url}/docs/use.html\ntitle: "Use"\n---\n\n# Use\n\nHow it is used.\n`,
  );
});

test('2: prices that change are printed', async () => {
  expect(await cook(2)).toEqual(done(''));
  price = '£999.00';
  expect(await cook(2)).toEqual(done(`${site.url}/shop/saw: 1299 is now 999\n`));
});

test('3: leads with an address become contacts', async () => {
  expect((await cook(3)).stdout).toMatch(/^Oak Joinery.* 201\n$/);
  expect(contacts).toMatchObject([{ body: { email: 'info@oak-joinery.co.uk', phone: null } }]);
});

test('4: dead links are found where they stand', async () => {
  expect(await cook(4)).toEqual({
    ...{ exitCode: 1, stderr: '' },
    stdout: `404 ${site.url}/www/gone.html, linked from ${site.url}/www/\n`,
  });
});

test('5: addresses that come and go are printed', async () => {
  expect(await cook(5)).toEqual(done(''));
  news = '<a href="/www/new.html">New</a>';
  expect(await cook(5)).toEqual(done(`+ ${site.url}/www/new.html\n- ${site.url}/www/old.html\n`));
});

test('6: articles become a feed, the newest first', async () => {
  expect(await cook(6)).toEqual(done('Article 3\nArticle 2\nArticle 1\n'));
  const feed = JSON.parse(await file('6/feed.json'));
  expect(feed.items[0]).toMatchObject({
    url: `${site.url}/news/3.html`,
    content_text: expect.stringContaining('Article 3 tells'),
  });
});

test('7: a job board becomes a table', async () => {
  expect(await cook(7)).toEqual(done('2 jobs\n'));
  expect(await file('7/jobs.csv')).toBe(
    `title,company,url\n"Joiner, ""oak""","Acme","${site.url}/jobs/1"\n"Carver","","${site.url}/jobs/2"\n`,
  );
});

test('8: pages become pictures', async () => {
  expect(await cook(8)).toEqual(done('2 pages\n'));
  for (const name of ['1.png', '2.png']) {
    expect((await readFile(join(project, '8', name))).subarray(1, 4).toString()).toBe('PNG');
  }
});

test('9: a site becomes PDFs', async () => {
  const { stdout } = await cook(9);
  const [, folder = ''] = /^2 PDFs in (archive\/\S+)\n$/.exec(stdout) ?? [];
  expect(await file(`9/${folder}/index.tsv`)).toBe(
    `1.pdf\t${site.url}/terms/\tTerms\n2.pdf\t${site.url}/terms/old.html\tOld terms\n`,
  );
  expect((await file(`9/${folder}/2.pdf`)).slice(0, 5)).toBe('%PDF-');
});

test('10: an agent finds a page and reads all of it', async () => {
  const { stdout, stderr } = await cook(10);
  expect([stderr, stdout]).toEqual([
    '',
    expect.stringMatching(/^Install \d{4}\n.*the last step of all\.\n$/s),
  ]);
});
