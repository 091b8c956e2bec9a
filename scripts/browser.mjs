// The browser the workers drive.
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { aptInstall, asRoot, systemName } from './debian.mjs';
import { run, SetupError, step } from './steps.mjs';

/** Finds or installs a Chromium, and sets CHROMIUM_PATH for this process and its children. */
export async function ensureBrowser() {
  const chosen = await chosenByUser();
  if (chosen && !isProgram(chosen)) {
    throw new SetupError(
      `CHROMIUM_PATH: there is no program at ${chosen}: install it, or unset CHROMIUM_PATH`,
    );
  }
  const path = chosen ?? findBrowser() ?? (await installBrowser());
  process.env.CHROMIUM_PATH = path;
}

/** CHROMIUM_PATH as the program reads it; the program is built by now. */
async function chosenByUser() {
  const { readEnvFile } = await import('../dist/runtime/settings/env-file.js');
  try {
    const { CHROMIUM_PATH } = { ...readEnvFile('.env'), ...process.env };
    return CHROMIUM_PATH?.trim() || undefined;
  } catch (error) {
    throw new SetupError(error.message);
  }
}

/**
 * The headless shell first: three times the pages per second of the full browser, with 40 % of its
 * memory.
 */
function findBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = [
    '/usr/bin',
    '/usr/local/bin',
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
  ];
  return [
    '/usr/lib/chromium/chromium-headless-shell',
    ...playwrightBrowsers(/^chromium_headless_shell-(\d+)$/),
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...playwrightBrowsers(/^chromium-(\d+)$/),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ].find((path) => isProgram(path) && !isSnap(path));
}

/** Browsers that `playwright install` has downloaded, newest first. */
function playwrightBrowsers(folderName) {
  const caches = [process.env.PLAYWRIGHT_BROWSERS_PATH, join(homedir(), '.cache/ms-playwright')];
  caches.push(join(homedir(), 'Library/Caches/ms-playwright'));
  const programs = /^(headless_shell|chrome-headless-shell|chrome|Chromium|Google Chrome for Testing)$/;
  for (const cache of caches.filter((path) => path && existsSync(path))) {
    const versions = readdirSync(cache)
      .filter((name) => folderName.test(name))
      .sort((a, b) => Number(b.match(folderName)[1]) - Number(a.match(folderName)[1]));
    const found = versions.flatMap((version) =>
      readdirSync(join(cache, version), { recursive: true })
        .filter((path) => programs.test(path.split('/').at(-1)))
        .map((path) => join(cache, version, path)),
    );
    if (found.some(isProgram)) return found.filter(isProgram);
  }
  return [];
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Ubuntu's chromium is a script that starts a snap, which neither root nor a container can run. */
function isSnap(path) {
  const target = realpathSync(path);
  if (/\/snap/.test(target)) return true;
  const begin = Buffer.alloc(4096);
  const file = openSync(target, 'r');
  readSync(file, begin);
  closeSync(file);
  return /^#!.*snap/s.test(begin.toString('latin1'));
}

async function installBrowser() {
  const attempts = [];
  const attempt = async (what, install) => {
    try {
      await step(what, install);
      const path = findBrowser();
      if (path) return path;
      attempts.push(`${what}: no browser appeared`);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      attempts.push(error.message);
    }
  };
  const system = systemName();
  const mayInstall = system !== 'other' && (await asRoot()) !== undefined;
  if (system === 'debian' && mayInstall) {
    const fonts = hasFonts() ? [] : ['fonts-liberation'];
    for (const name of ['chromium-headless-shell', 'chromium']) {
      const path = await attempt(`installing the browser (apt-get install ${name})`, () =>
        aptInstall([name, ...fonts]),
      );
      if (path) return path;
    }
  }
  // With its system libraries if they can be installed; otherwise a desktop already has them.
  const options = mayInstall ? ['--with-deps', '--only-shell'] : ['--only-shell'];
  // As a dependency of another project it is beside this package, not in it.
  const playwright = createRequire(import.meta.url).resolve('playwright/package.json');
  const cli = join(dirname(playwright), 'cli.js');
  const path = await attempt("installing the browser (Playwright's download)", () =>
    run(process.execPath, [cli, 'install', ...options, 'chromium']),
  );
  if (path) return path;
  const advice = {
    debian: 'run `sudo apt-get install chromium-headless-shell`',
    ubuntu: 'run `sudo npx playwright install --with-deps --only-shell chromium`',
    other: 'install Chromium or Chrome',
  };
  throw new SetupError(
    `no browser was found and none could be installed: ${advice[system]}, or set CHROMIUM_PATH to a Chromium program\n${attempts.join('\n')}`,
  );
}

function hasFonts() {
  const folders = ['/usr/share/fonts', '/usr/local/share/fonts', join(homedir(), '.fonts')].filter(
    existsSync,
  );
  return folders.some((folder) =>
    readdirSync(folder, { recursive: true }).some((name) => /\.(ttf|otf|ttc)$/i.test(name)),
  );
}
