import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { commandOf, descendantsOf, isRunning } from '../support/proc.ts';
import { type RunningProcess, runToEnd, startProcess } from '../support/processes/processes.ts';
import { waitFor } from '../support/wait-for.ts';

/** What `npm start` runs after its set-up. */
const SUPERVISOR = 'supervisor/main.js';

let dataDir: string;
let running: RunningProcess[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'leadengine-start-'));
  running = [];
});

afterEach(async () => {
  for (const supervisor of running) await supervisor.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('npm start', () => {
  test('starts without configuration, prints how to use it, and stops without leaving processes', async () => {
    const supervisor = await start();
    const { url, apiKey, apiKeyFile } = supervisor.ready;
    expect(await statusOf(`${url}/health/ready`)).toBe(200);
    expect((await readFile(String(apiKeyFile), 'utf8')).trim()).toBe(apiKey);
    expect((await stat(String(apiKeyFile))).mode & 0o777).toBe(0o600);
    await waitFor(() => supervisor.output().includes('Ctrl-C stops everything'));
    expect(supervisor.output()).toContain(
      `curl ${url}/api/v1/jobs/scrape -H "Authorization: Bearer ${apiKey}"`,
    );
    expect(await statusOf(`${url}/api/v1/jobs`, apiKey)).toBe(200);

    const pids = [...childPids(supervisor), await postgresPid()];
    // The API, the notifier, analytics, two workers, Postgres.
    expect(pids).toHaveLength(6);
    expect(await supervisor.stop()).toBe(0);
    // All of them ended; init reaps orphans in its own time.
    await waitFor(() => !pids.some(isRunning), { what: 'every process to be gone' });
  });

  test('runs workers as an ordinary user, with the browser in its sandbox where the machine allows it', async () => {
    // Passable for another user, as the folder is that `npm start` makes.
    await chmod(dataDir, 0o711);
    const supervisor = await start();
    const workers = childPids(supervisor).filter((pid) => commandOf(pid).includes('workers/scraper/main.js'));
    expect(workers).toHaveLength(2);
    for (const pid of workers) expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
    const ordinary = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const isAllowed = spawnSync('unshare', ['-Ur', 'true'], ordinary).status === 0;
    const health = await waitFor(
      async () => {
        const answer = await fetch(`${supervisor.ready.url}/health`);
        const body = (await answer.json()) as { workers: { workers: number } };
        return body.workers.workers === 2 && body;
      },
      { what: 'both workers to be known' },
    );
    expect(health).toMatchObject({
      status: 'ready',
      workers: {
        not_sandboxed: isAllowed ? 0 : 2,
        reason: isAllowed ? null : expect.any(String),
      },
    });
  });

  test('shows a key only when it was made, and finds all data again', async () => {
    const first = await start();
    await first.stop();
    const second = await start();
    expect(second.ready.apiKey).toBeUndefined();
    expect(second.output()).not.toContain(first.ready.apiKey);
    expect(second.output()).toContain(`$(cat '${second.ready.apiKeyFile}')`);
    expect(await statusOf(`${second.ready.url}/api/v1/jobs`, first.ready.apiKey)).toBe(200);
  });

  test('a second one on the same folder reports the first', async () => {
    const first = await start();
    const { exitCode, output } = await runToEnd(SUPERVISOR, environment(), { cwd: dataDir });
    expect(exitCode).toBe(1);
    expect(output.trim()).toBe(
      `another LeadEngine is running on ${dataDir} (pid ${first.pid}): stop it, or set DATA_DIR to another folder`,
    );
  });

  test('leaves no process of ours when it is killed, and the next one takes over', async () => {
    const killed = await start();
    await killed.kill();
    await waitFor(() => !childPids(killed).some(isRunning), { what: 'its children to end' });
    const next = await start();
    expect(await statusOf(`${next.ready.url}/api/v1/jobs`, killed.ready.apiKey)).toBe(200);
  });

  test('a second stop signal ends everything at once', async () => {
    const supervisor = await start();
    const pids = childPids(supervisor);
    const postgres = await postgresPid();
    // A stopped process cannot shut down: without the second signal this would last the whole grace
    // period.
    process.kill(Number(pids.at(-1)), 'SIGSTOP');
    supervisor.signal('SIGINT');
    await waitFor(() => supervisor.output().includes('process_stopping'));
    await waitFor(
      () => {
        supervisor.signal('SIGINT');
        return !isRunning(supervisor.pid);
      },
      { everyMs: 200 },
    );
    expect(await supervisor.exited).toMatchObject({ exitCode: 1 });
    // Postgres is ended by a process of its own.
    await waitFor(() => ![...pids, postgres].some(isRunning), { what: 'its children to be gone' });
  });

  test('Ctrl-C prints what it waits for and how to stop at once', async () => {
    const supervisor = await start();
    const worker = Number(childPids(supervisor).at(-1));
    process.kill(worker, 'SIGSTOP');
    supervisor.signal('SIGINT');
    await waitFor(
      () => /Still waiting for worker-\d\. Ctrl-C again stops at once\./.test(supervisor.output()),
      {
        what: 'the name of the process that does not stop',
      },
    );
    expect(supervisor.output()).toMatch(
      /Stopping api, notifier, analytics, worker-1, worker-2: what is under way gets up to 25 s\. Ctrl-C again/,
    );
    process.kill(worker, 'SIGCONT');
    expect(await supervisor.exited).toMatchObject({ exitCode: 0 });
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)(
    'stopped while it starts (%s), it leaves nothing',
    async (signal) => {
      let children: number[] = [];
      const starting = startProcess(SUPERVISOR, environment(), {
        cwd: dataDir,
        timeoutMs: 60_000,
        whileStarting: (_output, pid) => {
          void waitFor(
            () => {
              // The moment initdb runs: the signal handlers are installed, Postgres and everything
              // else are still to come.
              if (!descendantsOf(pid).some((child) => commandOf(child).includes('initdb'))) return false;
              children = descendantsOf(pid);
              return process.kill(pid, signal);
            },
            { everyMs: 5 },
          );
        },
      });
      await expect(starting).rejects.toThrow('ended (0) before it was ready');
      expect(children).not.toEqual([]);
      await waitFor(() => !children.some(isRunning), { what: 'what it started to be gone' });
      await expect(stat(join(dataDir, 'postgres', 'postmaster.pid'))).rejects.toThrow('ENOENT');
    },
  );

  test('killed while its Postgres starts, it leaves none', async () => {
    let postgres = 0;
    const starting = startProcess(SUPERVISOR, environment(), {
      cwd: dataDir,
      timeoutMs: 60_000,
      whileStarting: (_output, pid) => {
        void waitFor(
          () => {
            postgres = descendantsOf(pid).find((child) => / -D .* -p \d+ /.test(commandOf(child))) ?? 0;
            return postgres && process.kill(pid, 'SIGKILL');
          },
          { everyMs: 5 },
        );
      },
    });
    await expect(starting).rejects.toThrow('ended (SIGKILL) before it was ready');
    await waitFor(() => !isRunning(postgres), { what: 'its Postgres to stop', timeoutMs: 20_000 });
  });

  test('reports that a key was revoked, and not to use it', async () => {
    const first = await start();
    const { url, apiKey, apiKeyFile } = first.ready;
    const auth = { authorization: `Bearer ${apiKey}` };
    const { keys } = (await (await fetch(`${url}/api/v1/keys`, { headers: auth })).json()) as {
      keys: { id: string }[];
    };
    for (const { id } of keys) await fetch(`${url}/api/v1/keys/${id}`, { method: 'DELETE', headers: auth });
    expect(await statusOf(`${url}/api/v1/jobs`, apiKey)).toBe(401);
    await first.stop();

    const second = await start();
    await waitFor(() => second.output().includes('Ctrl-C stops everything'));
    expect(second.output()).toContain(`The first API key (in ${apiKeyFile}) was revoked`);
    expect(second.output()).not.toContain('Your API key');
    expect(second.output()).not.toContain('$(cat ');
    expect(second.output()).not.toContain(apiKey);
  });

  test('an invalid setting is one line', async () => {
    const { exitCode, output } = await runToEnd(SUPERVISOR, environment({ WORKERS: 'many' }), {
      cwd: dataDir,
    });
    expect(exitCode).toBe(1);
    expect(output.trim()).toBe('configuration: WORKERS: expected a whole number from 0 to 64');
  });

  test('a configured port that is in use is one line, and nothing was started', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    try {
      const { exitCode, output } = await runToEnd(SUPERVISOR, environment({ PORT: String(port) }), {
        cwd: dataDir,
      });
      expect(exitCode).toBe(1);
      expect(output.trim()).toBe(
        `port ${port} is taken by another program: stop that one, or set PORT to another port`,
      );
      await expect(stat(join(dataDir, 'postgres'))).rejects.toThrow('ENOENT');
    } finally {
      await new Promise((resolve) => blocker.close(resolve));
    }
  });
});

const environment = (env: Record<string, string> = {}) => ({
  DATA_DIR: dataDir,
  PORT: '0',
  WORKERS: '2',
  LOG_LEVEL: 'debug',
  ...env,
});

/** In the data folder, so that no `.env` of a developer is read. */
async function start(): Promise<RunningProcess> {
  const supervisor = await startProcess(SUPERVISOR, environment(), { cwd: dataDir, timeoutMs: 60_000 });
  running.push(supervisor);
  return supervisor;
}

/** The API's first, then the workers'. */
const childPids = (supervisor: RunningProcess): number[] =>
  supervisor.logged('process_started').map(({ child_pid }) => Number(child_pid));

const postgresPid = async (): Promise<number> =>
  Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);

async function statusOf(url: string, apiKey?: string): Promise<number> {
  const response = await fetch(url, apiKey ? { headers: { authorization: `Bearer ${apiKey}` } } : {});
  await response.body?.cancel();
  return response.status;
}
