import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { commandOf, descendantsOf, isRunning } from '../support/proc.ts';
import { type RunningProcess, startProcess } from '../support/processes/processes.ts';
import { waitFor } from '../support/wait-for.ts';

/** `npm start` in a pipe whose other end closed, as in `npm start | head`. */

let dataDir: string;
let supervisor: RunningProcess;
let started: number[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'leadengine-start-output-'));
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'debug', SHUTDOWN_GRACE_MS: '5000' };
  supervisor = await startProcess('supervisor/main.js', env, {
    cwd: dataDir,
    output: 'gone',
    timeoutMs: 60_000,
  });
  started = [...descendantsOf(supervisor.pid), postgresPid()];
});

afterEach(async () => {
  await supervisor.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('a supervisor whose output is not read', () => {
  test('keeps its processes running, and stops them all on a signal', async () => {
    const analytics = childNamed('analytics');
    // Its output about that is lost.
    process.kill(analytics, 'SIGKILL');
    await waitFor(() => childNamed('analytics') !== analytics, { what: 'analytics to be started again' });
    expect((await fetch(`${supervisor.ready.url}/health/ready`)).status).toBe(200);
    started.push(...descendantsOf(supervisor.pid));
    expect(await supervisor.stop()).toBe(0);
    await waitFor(() => !started.some(isRunning), { what: 'every process to be gone' });
  });

  test('may be killed: its processes end by themselves', async () => {
    // Postgres is left to its guard for a while, in case a new supervisor takes it over.
    const children = descendantsOf(supervisor.pid).filter((pid) => commandOf(pid).includes('/main.js'));
    expect(children.length).toBeGreaterThanOrEqual(4);
    await supervisor.kill();
    await waitFor(() => !children.some(isRunning), { what: 'its processes to end' });
    const postgres = postgresPid();
    process.kill(postgres, 'SIGINT');
    await waitFor(() => !isRunning(postgres), { what: 'Postgres to end' });
  });
});

/** 0 while there is none. */
const childNamed = (name: string): number =>
  descendantsOf(supervisor.pid).find((pid) => commandOf(pid).includes(`${name}/main.js`)) ?? 0;

const postgresPid = (): number =>
  Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
