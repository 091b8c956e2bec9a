import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '../../../scraping/browser/process/chromium.ts';
import { environmentOf, membersOf } from '../../support/proc.ts';
import { type Fleet, startFleet } from '../../support/processes/fleet.ts';
import { type Site, startSite } from '../../support/servers/site.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A worker whose browser disappears. */

let site: Site;
let fleet: Fleet;
let folder: string;

beforeAll(async () => {
  site = await startSite({ pages: { '/': '<title>A page</title><p>Hello</p>' } });
  folder = await mkdtemp(join(tmpdir(), 'leadengine-browser-'));
  fleet = await startFleet({ driver: 'embedded', workers: 0 });
});
afterAll(async () => {
  await fleet.stop();
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

/** A path to the real browser that can be removed. */
async function breakableBrowser(): Promise<{ path: string; break(): Promise<void> }> {
  const path = join(folder, 'browser');
  await writeFile(path, `#!/bin/sh\nexec '${findChromium(process.env.CHROMIUM_PATH)}' "$@"\n`);
  await chmod(path, 0o755);
  return { path, break: () => writeFile(path, '#!/bin/sh\necho no browser here >&2\nexit 1\n') };
}

it('releases its job without consuming an attempt and exits with a reason; another worker completes the job', async () => {
  const browser = await breakableBrowser();
  const worker = await fleet.startWorker({ CHROMIUM_PATH: browser.path });
  const [launched] = worker.logged('browser_launched');
  await browser.break();
  process.kill(Number(launched?.browser_pid), 'SIGKILL');
  await waitFor(async () => worker.logged('browser_crashed').length > 0, { what: 'the crash to be seen' });

  const id = await fleet.client.post({ urls: [`${site.url}/`], render: 'browser', max_attempts: 1 });
  expect(await worker.exited).toEqual({ exitCode: 1, signal: null });
  expect(worker.output()).toContain(`Chromium could not be launched (${browser.path}); this process ends`);
  expect(worker.logged('process_failed')).toHaveLength(1);
  const waiting = await fleet.client.job(id);
  expect(waiting).toMatchObject({ status: 'queued', attempt: 0, error: null });
  expect(waiting.attempts.map(({ outcome }) => outcome)).toContain('released');

  await fleet.startWorker();
  expect(await fleet.client.until(id, 'completed', 'failed')).toMatchObject({
    status: 'completed',
    attempt: 1,
  });
});

it('passes none of the secrets in its environment to its browser', async () => {
  const secrets = {
    SMTP_URL: 'smtp://mailer:mail-secret@127.0.0.1:2525',
    SMTP_FROM: 'mailer@example.com',
    GOOGLE_API_KEY: 'google-secret',
    AWS_SECRET_ACCESS_KEY: 'cloud-secret',
    NODE_OPTIONS: '--title=node-secret',
  };
  const worker = await fleet.startWorker({ ...secrets, LANG: 'C.UTF-8', TZ: 'Europe/Berlin' });
  const [launched] = worker.logged('browser_launched');
  const browser = Number(launched?.browser_pid);
  // The browser, its zygotes and helpers, which start after it; one of them may be exiting.
  const environments = await waitFor(
    () => {
      const read = membersOf(browser).map(environmentOf);
      return read.filter((each) => each.length > 0).length > 1 ? read : undefined;
    },
    { what: 'the processes of the browser' },
  );
  const all = environments.flat().join('\n');
  expect(all).toContain('LANG=C.UTF-8');
  expect(all).toContain('TZ=Europe/Berlin');
  expect(all).toMatch(/^TMPDIR=.*leadengine-tmp-/m);
  expect(all).not.toMatch(/secret|postgres:|DATABASE_URL|RABBITMQ|BOOTSTRAP_API_KEY/);
  expect(environmentOf(worker.pid).join('\n')).toContain('mail-secret');

  const id = await fleet.client.post({ urls: [`${site.url}/`], render: 'browser' });
  await fleet.client.until(id, 'completed');
  await worker.stop();
});

it('does not start without a browser, and reports it in one line', async () => {
  const browser = await breakableBrowser();
  await browser.break();
  await expect(fleet.startWorker({ CHROMIUM_PATH: browser.path })).rejects.toThrow(
    `Chromium could not be launched (${browser.path})`,
  );
});

describe('the temporary files of a worker', () => {
  let temp: string;
  const folders = async () => (await readdir(temp)).filter((name) => name.startsWith('leadengine-')).sort();
  beforeAll(async () => {
    temp = join(folder, 'tmp');
    await mkdir(temp);
  });

  it('are in a folder of its own, with those of its browser, and are removed at its end', async () => {
    const worker = await fleet.startWorker({ TMPDIR: temp });
    const [own = ''] = await folders();
    expect(await readdir(temp)).toEqual([own]);
    expect(await readdir(join(temp, own))).toContainEqual(expect.stringMatching(/^playwright_.*profile/));
    expect(await worker.stop()).toBe(0);
    expect(await readdir(temp)).toEqual([]);
  });

  it('are removed by the next worker if it was killed; those of running workers stay', async () => {
    const [killed, living] = [
      await fleet.startWorker({ TMPDIR: temp }),
      await fleet.startWorker({ TMPDIR: temp }),
    ];
    const both = await folders();
    expect(both).toHaveLength(2);
    process.kill(killed.pid, 'SIGKILL');
    await killed.exited;
    expect(await folders()).toEqual(both);

    await fleet.startWorker({ TMPDIR: temp });
    const after = await folders();
    expect(after).toHaveLength(2);
    expect(after.filter((name) => both.includes(name))).toHaveLength(1);
    // The remaining folder is still in use by its worker.
    expect(await living.stop()).toBe(0);
    expect(await folders()).toHaveLength(1);
  });
});
