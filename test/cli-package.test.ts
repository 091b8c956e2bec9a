import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

/** The package `leadengine`, server and command, as it would be published. */

const root = join(import.meta.dirname, '..');
let folder: string;
let files: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leadengine-package-'));
  // The build is there: Jest's launcher makes it.
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }));
  files = packed.files.map(({ path }: { path: string }) => path);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('holds what the command and a server need, and no sources, tests or benchmarks', () => {
  for (const needed of ['scripts/leadengine.mjs', 'scripts/start.mjs', 'dist/cli/main.js', 'LICENSE']) {
    expect(files).toContain(needed);
  }
  for (const entry of ['supervisor/main', 'api/main', 'workers/scraper/main', 'workers/notifier/main']) {
    expect(files).toContain(`dist/${entry}.js`);
  }
  expect(files.filter((path) => /\.ts$|\.test\.|^test\/|^bench\/|^dist\/bench\//.test(path))).toEqual([]);
});

test('runs where it is installed, without a build or set-up', () => {
  for (const path of files) cpSync(join(root, path), join(folder, path));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const { bin, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const run = (...args: string[]) =>
    execFileSync(join(folder, bin.leadengine), args, {
      ...{ cwd: dirname(folder), encoding: 'utf8', stdio: 'pipe' },
      env: { ...process.env, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    });
  expect(run('--version')).toBe(`${version}\n`);
  expect(run('scrape', '--help')).toContain('leadengine scrape https://example.com/');
  expect(() => run('stats')).toThrow('`leadengine up` starts one');
});
