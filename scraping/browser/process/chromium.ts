import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Browser } from 'playwright';
import { resolvesWithin } from '../../fetching/deadline.ts';
import { browserEnvironment } from './browser-environment.ts';
import { chromium } from './playwright.ts';

/** Finds, starts and ends one Chromium process tree. */

/**
 * The first that exists. The headless shell renders three times as many pages per second in 40 % of
 * the memory.
 */
export function findChromium(configured?: string): string | undefined {
  if (configured) return existsSync(configured) ? configured : undefined;
  return [
    '/usr/lib/chromium/chromium-headless-shell',
    '/usr/bin/chromium-headless-shell',
    playwrightHeadlessShell(),
    chromium.executablePath(),
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].find((path) => path !== '' && existsSync(path));
}

/**
 * The path used by `playwright install --only-shell`, beside the full browser at `executablePath`.
 */
const playwrightHeadlessShell = () =>
  chromium
    .executablePath()
    .replace(
      /chromium-(\d+)\/chrome-([^/]+)\/.*$/,
      'chromium_headless_shell-$1/chrome-headless-shell-$2/chrome-headless-shell',
    );

export interface ChromiumProcess {
  browser: Browser;
  pid: number;
}

/** @param options.sandbox whether its sandbox is on; if it cannot be, the launch fails */
export async function launchChromium(options: {
  executablePath: string;
  proxyAddress: string;
  sandbox: boolean;
}): Promise<ChromiumProcess> {
  const browser = await chromium.launch({
    executablePath: options.executablePath,
    args: chromiumArgs(options.proxyAddress),
    // Playwright turns it off unless asked.
    chromiumSandbox: options.sandbox,
    env: browserEnvironment(),
    // On a signal the worker drains first; Playwright would close the browser while jobs are
    // released.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    timeout: 30_000,
  });
  try {
    return { browser, pid: await browserPid(browser) };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** Default viewport, in CSS pixels. */
export const VIEWPORT = { width: 1280, height: 800 };

function chromiumArgs(proxyAddress: string): string[] {
  return [
    // Otherwise each tab starts in Chromium's default size and is resized: 2 % of the cost of a
    // single page.
    `--window-size=${VIEWPORT.width},${VIEWPORT.height}`,
    `--proxy-server=${proxyAddress}`,
    // Without it Chromium connects to loopback directly, past the egress guard.
    '--proxy-bypass-list=<-loopback>',
    '--disable-quic',
    '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--no-pings',
    '--dns-prefetch-disable',
    '--mute-audio',
    // Makes `window.open` fail in the headless shell; a full Chromium ignores it, so popups are
    // closed too.
    '--block-new-web-contents',
  ];
}

/** Playwright does not expose the pid of the browser; Chromium does. */
async function browserPid(browser: Browser): Promise<number> {
  const pid = await processOf(browser, 'browser');
  if (pid === undefined) throw new Error('Chromium does not say which process it is');
  return pid;
}

/** The process id of a renderer; undefined if none runs. */
export const rendererPid = ({ browser }: ChromiumProcess): Promise<number | undefined> =>
  processOf(browser, 'renderer');

async function processOf(browser: Browser, wanted: string): Promise<number | undefined> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.find(({ type }) => type === wanted)?.id;
}

const CLOSE_TIMEOUT_MS = 4000;

/** Closes it, and kills it after a few seconds. Resolves when the whole process group is gone. */
export async function endChromium({ browser, pid }: ChromiumProcess): Promise<void> {
  const closed = await resolvesWithin(browser.close(), CLOSE_TIMEOUT_MS);
  if (closed && (await groupGone(pid, 1000))) return;
  killChromium(pid);
  await groupGone(pid, 2000);
}

/** Kills Chromium's process group, which includes renderers and zygotes. */
export function killChromium(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: already gone.
  }
}

async function groupGone(pid: number, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (groupRuns(pid)) {
    if (Date.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** Whether a process of the group still runs. Zombies do not count. */
function groupRuns(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (!existsSync('/proc/self/stat')) return true;
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      // `pid (name) state parent group …`; the name may hold anything.
      const [state, , itsGroup] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(itsGroup) === group && state !== 'Z';
    } catch {
      // It exited meanwhile.
      return false;
    }
  });
}
