import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright';
import { resolvesWithin } from '../fetching/deadline.ts';
import { browserEnvironment } from './browser-environment.ts';

/** One Chromium process tree: how it is found, started and ended. */

/** The first that exists. The headless shell renders three times as many pages a second in 40 % of the memory. */
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

/** Where `playwright install --only-shell` puts it, beside the full browser that `executablePath` names. */
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

export async function launchChromium(options: {
  executablePath: string;
  proxyAddress: string;
}): Promise<ChromiumProcess> {
  const browser = await chromium.launch({
    executablePath: options.executablePath,
    args: chromiumArgs(options.proxyAddress),
    env: browserEnvironment(),
    // The process that runs us decides when to end; Playwright would close the browser under a job still to be handed back.
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

/** Of a page unless its job says otherwise, in CSS pixels. */
export const VIEWPORT = { width: 1280, height: 800 };

function chromiumArgs(proxyAddress: string): string[] {
  return [
    ...(needsNoSandbox() ? ['--no-sandbox'] : []),
    // Otherwise each tab begins in Chromium's own size and is resized: 2 % of what a lone page costs.
    `--window-size=${VIEWPORT.width},${VIEWPORT.height}`,
    `--proxy-server=${proxyAddress}`,
    // Chromium would go to loopback directly, past the egress guard.
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
    // The headless shell's own way to let `window.open` fail; a full Chromium ignores it, and its popups are closed as they come.
    '--block-new-web-contents',
  ];
}

/** Chromium's sandbox does not start as root, nor in a container without user namespaces. */
const needsNoSandbox = () =>
  process.getuid?.() === 0 || existsSync('/.dockerenv') || existsSync('/run/.containerenv');

/** Playwright does not tell the pid of what it launched; Chromium does. */
async function browserPid(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const pid = processInfo.find(({ type }) => type === 'browser')?.id;
  if (pid === undefined) throw new Error('Chromium does not say which process it is');
  return pid;
}

const CLOSE_TIMEOUT_MS = 4000;

/** Asks it to end, and after a few seconds makes it. Resolves when the whole process group is gone. */
export async function endChromium({ browser, pid }: ChromiumProcess): Promise<void> {
  const closed = await resolvesWithin(browser.close(), CLOSE_TIMEOUT_MS);
  if (closed && (await groupGone(pid, 1000))) return;
  killChromium(pid);
  await groupGone(pid, 2000);
}

/** Playwright makes Chromium the leader of a process group, which renderers and zygotes belong to. */
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

/** Whether a process of the group still runs. Dead ones that wait for the machine's init to notice do not count. */
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
      // Gone meanwhile.
      return false;
    }
  });
}
