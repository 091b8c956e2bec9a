import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from '../../sdk/src/index.ts';
import { CrawlFolder, fileName } from './crawl-folder.ts';

const URL = 'https://example.com/';
const WALK = { url: URL, server: 'http://127.0.0.1:3000', job_id: 'j' };
const aPage = (path: string, markdown: string): Page => ({
  ...{ url: `${URL}${path}`, final_url: null, status_code: 200, content_type: null, title: 'A "page"' },
  ...{ engine: 'http', fetched_at: '', duration_ms: 1, error: null, markdown },
  metadata: { modified: '2026-01-31' },
});

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'leadengine-folder-'));
});
afterEach(() => rm(path, { recursive: true, force: true }));

const open = (fresh = false) => CrawlFolder.open(path, { url: URL, fresh });

test('a page is a file that says where it is from', async () => {
  const folder = await open();
  await folder.begin(WALK);
  const written = await folder.write(aPage('docs/intro', '# Intro\n\nText\n\n'), 'markdown');
  expect(written).toEqual({ url: `${URL}docs/intro`, file: 'docs/intro.md', change: 'new' });
  expect(await readFile(join(path, 'docs/intro.md'), 'utf8')).toBe(
    `---\nurl: "${URL}docs/intro"\ntitle: "A \\"page\\""\ndate: "2026-01-31"\n---\n\n# Intro\n\nText\n`,
  );
});

test('an interrupted walk goes on: what is written is not written again', async () => {
  const first = await open();
  await first.begin(WALK);
  await first.write(aPage('a', 'A'), 'markdown');
  await first.save();
  const second = await open();
  expect(second.state).toMatchObject({ job_id: 'j', finished: false });
  expect((await second.write(aPage('a', 'A'), 'markdown')).change).toBe('unchanged');
  await second.write(aPage('b', 'B'), 'markdown');
  // Those of the first part are not counted again.
  expect(await second.finish()).toEqual({ added: 1, changed: 0, same: 0, gone: 0 });
});

test('another walk tells what is new, changed, unchanged and gone', async () => {
  const first = await open();
  await first.begin(WALK);
  for (const name of ['a', 'b', 'c']) await first.write(aPage(name, name), 'markdown');
  await first.finish();
  const second = await open();
  expect(second.state?.finished).toBe(true);
  await second.begin({ ...WALK, job_id: 'k' });
  for (const [name, text] of [
    ['a', 'a'],
    ['b', 'other'],
    ['d', 'd'],
  ] as const)
    await second.write(aPage(name, text), 'markdown');
  expect(await second.finish()).toEqual({ added: 1, changed: 1, same: 1, gone: 1 });
  expect(await readFile(join(path, 'b.md'), 'utf8')).toContain('other');
  expect((await readdir(path)).sort()).toEqual(['.leadengine.json', 'a.md', 'b.md', 'c.md', 'd.md']);
});

test('a folder of another site is refused, unless it is begun again', async () => {
  await (await open()).begin({ ...WALK, url: 'https://example.org/' });
  await expect(open()).rejects.toThrow('holds a crawl of https://example.org/');
  expect((await open(true)).state).toBeNull();
});

test('two addresses never share a file', async () => {
  const folder = await open();
  await folder.begin(WALK);
  const files = [];
  for (const name of ['About', 'about', 'about.html', 'about?a=1', 'about?a=2']) {
    files.push((await folder.write(aPage(name, name), 'markdown')).file.toLowerCase());
  }
  expect(new Set(files).size).toBe(files.length);
});

describe('the file of', () => {
  test.each([
    ['https://example.com', 'index.md'],
    ['https://example.com/docs/', 'docs/index.md'],
    ['https://example.com/docs/a.html', 'docs/a.md'],
    ['https://example.com/a.pdf', 'a.pdf.md'],
    ['https://example.com/%C3%BCber%20uns', 'über uns.md'],
    ['https://example.com/..%2f..%2fetc/passwd', '-.%2f..%2fetc/passwd.md'],
    ['https://example.com/a:b*c', 'a-b-c.md'],
    ['https://example.com/.htaccess', '-htaccess.md'],
    ['https://example.com/con', 'con-.md'],
    ['https://example.com/%E0%A4%A', '%E0%A4%A.md'],
  ])('%s is %s', (url, file) => {
    expect(fileName(url, '.md')).toBe(file);
  });

  test.each(['https://example.com/../../a', `https://example.com/${'x'.repeat(3000)}`])(
    'a hostile address stays inside, and is short',
    (url) => {
      const parts = fileName(url, '.md').split('/');
      expect(parts).not.toContain('..');
      for (const part of parts) expect(part.length).toBeLessThan(150);
    },
  );
});
