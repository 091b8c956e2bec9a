import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { publint } from 'publint';
import { buildSdk } from '../scripts/build-sdk.mjs';

/** The package as it would be published: built, packed, checked, and used by other projects. */

const root = join(import.meta.dirname, '..');
const TSC = join(root, 'node_modules/typescript/bin/tsc');

let folder: string;
let tarball: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'leadengine-sdk-'));
  const source = join(folder, 'source');
  await buildSdk(join(source, 'dist'));
  for (const name of ['package.json', 'README.md', 'LICENSE'])
    cpSync(join(root, 'sdk', name), join(source, name));
  // Built already, and its script is not there.
  npm(source, 'pack', '--ignore-scripts', '--pack-destination', folder);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('its package.json leads every importer to what is there', async () => {
  const { messages } = await publint({ pkgDir: join(folder, 'source'), strict: true });
  expect(messages).toEqual([]);
});

test('its types are those of the code, for ES modules and CommonJS', async () => {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))));
  expect(analysis).toMatchObject({ packageName: '@leadengine/sdk', problems: [] });
});

test('it has no dependencies and nothing but code, types, README and license', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'sdk/package.json'), 'utf8'));
  expect(manifest.dependencies).toBeUndefined();
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const others = files.filter((name) => !/^package\/dist\/(esm|cjs)\/[\w-]+(\.d\.ts|\.js)$/.test(name));
  expect(others.sort()).toEqual([
    'package/LICENSE',
    'package/README.md',
    'package/dist/cjs/package.json',
    'package/package.json',
  ]);
});

describe('installed from its file, without a network', () => {
  let project: string;
  beforeAll(() => {
    project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "name": "project", "type": "module" }');
    npm(project, 'install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball);
  }, 60_000);

  test.each([
    ['an ES module', 'uses.mjs', `import { LeadEngine } from '@leadengine/sdk';`],
    ['CommonJS', 'uses.cjs', `const { LeadEngine } = require('@leadengine/sdk');`],
  ])('it is imported by %s', (_kind, file, line) => {
    const rest = `console.log(new LeadEngine({ url: 'http://127.0.0.1:1/' }).url);`;
    writeFileSync(join(project, file), `${line}\n${rest}\n`);
    expect(execFileSync(process.execPath, [file], { cwd: project, encoding: 'utf8' })).toBe(
      'http://127.0.0.1:1\n',
    );
  });

  test.each([
    ['an ES module', 'example.mts', ['--module', 'nodenext']],
    ['CommonJS', 'example.cts', ['--module', 'nodenext']],
    ['a bundler', 'example.ts', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])('its README compiles in %s', (_kind, file, options) => {
    writeFileSync(join(project, file), readmeProgram(file.endsWith('.cts')));
    const strict = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2023,dom,dom.iterable'];
    const said = run(project, TSC, ...strict, ...options, '--types', '', file);
    expect(said).toBe('');
  });
});

/** All examples of the README as one program. */
function readmeProgram(isCommonJs: boolean): string {
  const readme = readFileSync(join(root, 'sdk/README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  expect(blocks.length).toBeGreaterThan(6);
  const lines = blocks.join('\n').split('\n');
  const imports = lines.filter((line) => line.startsWith('import '));
  const others = lines.filter((line) => !line.startsWith('import '));
  // No `await` at the top of CommonJS, and no `export` within a function.
  const body = others.join('\n').replace(/^export /gm, '');
  return [...imports, isCommonJs ? `export async function main() {\n${body}\n}` : body].join('\n');
}

function run(cwd: string, ...args: string[]): string {
  try {
    return execFileSync(process.execPath, args, { cwd, encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout: string }).stdout);
  }
}

function npm(cwd: string, ...args: string[]): void {
  execFileSync('npm', args, {
    cwd,
    stdio: 'pipe',
    env: { ...process.env, npm_config_update_notifier: 'false' },
  });
}
