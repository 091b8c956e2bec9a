import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Extraction threads exist in the compiled program only, so it is built and run. */
const root = join(import.meta.dirname, '../../..');
const built = mkdtempSync(join(tmpdir(), 'scraping-built-'));

beforeAll(() => {
  // Emits also if some file does not type-check.
  spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json', '--outDir', built], {
    cwd: root,
  });
  symlinkSync(join(root, 'node_modules'), join(built, 'node_modules'));
  copyFileSync(join(root, 'package.json'), join(built, 'package.json'));
});
afterAll(() => rmSync(built, { recursive: true }));

/** Runs the body in the compiled program with an extractor, and returns what it reports. */
function run(body: string): unknown {
  const script = join(built, 'script.mjs');
  writeFileSync(
    script,
    `import { createExtractor } from './scraping/extraction/extractor.js';
     const input = (html) => ({ html, url: 'http://x/', title: '', charset: 'UTF-8', formats: ['text'], mainContent: true });
     const running = new AbortController().signal;
     const nested = '<span>'.repeat(150_000);
     const extractor = createExtractor(1);
     const report = await (async () => { ${body} })();
     await extractor.stop();
     console.log(JSON.stringify(report));`,
  );
  return JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 60_000 }));
}

it('pages are extracted off the event loop, each with its own result', () => {
  const report = run(`
    const large = '<p>' + 'word '.repeat(10) + '</p>';
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const pages = await Promise.all([1, 2, 3].map((n) => extractor.extract(input('<p>page ' + n + '</p>' + large.repeat(20_000)), running)));
    clearInterval(timer);
    return { heads: pages.map(({ text }) => text.slice(0, 6)), ticked: ticks > 10 };
  `);
  expect(report).toEqual({ heads: ['page 1', 'page 2', 'page 3'], ticked: true });
});

it('a page that cannot be extracted is an error, and the next one is extracted', () => {
  const report = run(`
    const first = await extractor.extract(input(nested), running).catch((error) => error.code);
    const second = await extractor.extract(input('<p>fine</p>'), running);
    return [first, second.text];
  `);
  expect(report).toEqual(['extraction_failed', 'fine']);
});

it('an endless selector ends with its page, and the next page is extracted', () => {
  const report = run(`
    const page = { ...input('<p>x</p>'.repeat(20_000)), fields: { never: 'b ~ p ~ p' } };
    const timeUp = new Error('time is up');
    const deadline = new AbortController();
    setTimeout(() => deadline.abort(timeUp), 1500);
    const first = await extractor.extract(page, deadline.signal).catch((error) => error.message);
    const next = await extractor.extract({ ...input('<p>fine</p>'), fields: { text: 'p' } }, running);
    return [first, next.extracted];
  `);
  expect(report).toEqual(['time is up', { text: 'fine' }]);
});

it('an aborted page stops at once, and waiting pages continue', () => {
  const report = run(`
    const controller = new AbortController();
    const slow = extractor.extract(input('<p>a</p>'.repeat(2_000_000)), controller.signal).catch((error) => error);
    const next = extractor.extract(input('<p>fine</p>'), running);
    setTimeout(() => controller.abort('given up'), 300);
    const startedAt = Date.now();
    const reason = await slow;
    const took = Date.now() - startedAt;
    return [reason, took < 1500, (await next).text];
  `);
  expect(report).toEqual(['given up', true, 'fine']);
});

it('a page does not wait for a slow one if another thread may start', () => {
  const report = run(`
    const two = createExtractor(2);
    const controller = new AbortController();
    const slow = two.extract(input('<p>a</p>'.repeat(2_000_000)), controller.signal).catch((error) => error);
    const { text } = await two.extract(input('<p>fine</p>'), running);
    controller.abort('given up');
    const reason = await slow;
    await two.stop();
    return [text, reason];
  `);
  expect(report).toEqual(['fine', 'given up']);
});

it('raw HTML is returned as it is, without characters that Postgres cannot store', () => {
  const report = run(`
    const raw = { ...input('<p>a\\0b'), formats: ['raw_html'] };
    return await extractor.extract(raw, running);
  `);
  expect(report).toEqual({ raw_html: '<p>ab' });
});
