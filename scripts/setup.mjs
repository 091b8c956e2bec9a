// Prepares a fresh checkout to run: dependencies, build, browser. Does only what is missing.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBrowser } from './browser.mjs';
import { takeNoArguments } from './help.mjs';
import { alone, root, run, runScript, SetupError, step } from './steps.mjs';

/**
 * @param {{ browser?: boolean }} options `browser: false` if no page will be rendered
 */
export async function setup({ browser = true } = {}) {
  requireNode();
  await alone(async () => {
    // A published package is built, and its dependencies came with it.
    if (existsSync(join(root, 'tsconfig.build.json'))) {
      await ensureDependencies();
      await ensureBuild();
    }
    if (browser) await ensureBrowser();
  });
}

export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: install Node 20.19 or newer (https://nodejs.org)`,
    );
  }
}

async function ensureDependencies() {
  const lockFile = join(root, 'package-lock.json');
  const stamp = join(root, 'node_modules', '.leadengine-lock');
  const wanted = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  if (read(stamp) === wanted) return;
  // A manual npm run after the lock last changed is as good, if it installed the compiler too.
  const installed = join(root, 'node_modules', '.package-lock.json');
  const byHand = existsSync(installed) && existsSync(join(root, 'node_modules', 'typescript'));
  if (!byHand || statSync(installed).mtimeMs < statSync(lockFile).mtimeMs) {
    await step('installing dependencies', installDependencies);
  }
  writeFileSync(stamp, wanted);
}

async function installDependencies() {
  const [command, ...args] = npm();
  await run(command, [...args, 'ci', '--include=dev', '--no-audit', '--no-fund']);
}

/** The npm that started this process, if any: there may be several, or none on the PATH. */
function npm() {
  const path = process.env.npm_execpath;
  if (path && /npm-cli\.[cm]?js$/.test(path)) return [process.execPath, path];
  return ['npm'];
}

/**
 * Compiles when a source has changed since the last build.
 *
 * @param {{ onTypeErrors?: (error: Error) => void }} options what to do instead of failing when
 *   only types are wrong: the compiler writes its output all the same
 */
export async function ensureBuild({ onTypeErrors } = {}) {
  const stamp = join(root, 'dist', '.leadengine-build');
  const wanted = sourcesHash();
  if (read(stamp) === wanted) return;
  await step('building', async () => {
    // Compiled to another folder and swapped in: a process that starts meanwhile finds a complete
    // build, and no output of deleted sources remains.
    for (const name of readdirSync(root).filter((name) => /^dist\.(new|old)-\d+$/.test(name))) {
      // Left by a killed build; only one build runs at a time.
      rmSync(join(root, name), { recursive: true, force: true });
    }
    const next = join(root, `dist.new-${process.pid}`);
    const old = join(root, `dist.old-${process.pid}`);
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    try {
      const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', next, '--pretty', 'false'];
      await run(process.execPath, args).then(
        () => writeFileSync(join(next, '.leadengine-build'), wanted),
        (error) => {
          if (!onTypeErrors || !existsSync(next)) throw error;
          onTypeErrors(error);
        },
      );
      if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
      renameSync(next, join(root, 'dist'));
    } finally {
      rmSync(next, { recursive: true, force: true });
      rmSync(old, { recursive: true, force: true });
    }
  });
}

function sourcesHash() {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0]);
  const configs = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  const sources = include.flatMap(sourcesIn);
  for (const name of [...configs, ...sources.sort()]) {
    hash.update(`\0${name}\0`).update(readFileSync(join(root, name)));
  }
  return hash.digest('hex');
}

function sourcesIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') ? [path] : [];
  });
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runScript(async () => {
    takeNoArguments('setup', process.argv.slice(2));
    await setup();
  });
}
