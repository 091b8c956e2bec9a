import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type RunningProcess, runToEnd, startProcess } from '../../support/processes/processes.ts';
import { TEST_KEY } from '../../support/secrets.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Cable } from './api-cable.ts';

const ENTRY = 'api/main.js';
const KEY = 'key-of-the-process-tests';

let database: TestDatabase;
let dataDir: string;
let env: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'leadengine-api-'));
  env = {
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    PORT: '0',
    BOOTSTRAP_API_KEY: KEY,
    ENCRYPTION_KEY: TEST_KEY,
  };
});
afterEach(async () => {
  // Also fails if a process leaked a connection.
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const ask = (api: RunningProcess, path: string, { body, key = KEY }: { body?: unknown; key?: string } = {}) =>
  fetch(`${api.ready.url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
const submit = async (api: RunningProcess) => {
  const response = await ask(api, '/jobs/scrape', { body: { urls: ['https://example.com/'] } });
  expect(response.status).toBe(202);
  return (await response.json()) as { links: { self: string } };
};

const HALF = 'half an answer';
const askWith = (agent: Agent, url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { agent, headers: { 'x-api-key': KEY } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => reject(new Error(HALF)));
    }).on('error', reject);
  });

describe('an API process', () => {
  test('makes the first key, prints it once and uses it again after a restart', async () => {
    const { BOOTSTRAP_API_KEY: _none, ...own } = env;
    const first = await startProcess(ENTRY, own);
    expect(first.ready).toEqual({
      type: 'ready',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      apiKeyFile: join(dataDir, 'api-key'),
      apiKey: expect.stringMatching(/^le_/),
    });
    const key = String(first.ready.apiKey);
    expect((await ask(first, '/api/v1/users', { key })).status).toBe(200);
    expect(await first.stop()).toBe(0);
    expect(first.output()).not.toContain(key);

    const second = await startProcess(ENTRY, own);
    expect(second.ready.apiKey).toBeUndefined();
    expect((await ask(second, '/api/v1/users', { key })).status).toBe(200);
    expect(await second.stop()).toBe(0);
  });

  test('that runs alone prints the key it made', async () => {
    const { BOOTSTRAP_API_KEY: _none, ...own } = env;
    const main = join(import.meta.dirname, '..', '..', '..', 'dist', ENTRY);
    const child = spawn(process.execPath, [main], { env: { PATH: process.env.PATH, ...own } });
    const exited = new Promise((resolve) => child.once('close', resolve));
    try {
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      await waitFor(() => output.includes('API key'), { what: 'the key' });
      expect(output).toContain((await readFile(join(dataDir, 'api-key'), 'utf8')).trim());
      child.kill('SIGTERM');
      expect(await exited).toBe(0);
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
  });

  test('answers long polls when it is stopped, and exits 0', async () => {
    const api = await startProcess(ENTRY, env);
    const { links } = await submit(api);
    const waits = ask(api, `${links.self}?wait=60`);
    // Answered after the other has arrived.
    await ask(api, '/health/live');
    const asked = performance.now();
    const stopped = api.stop();
    expect(((await (await waits).json()) as { status: string }).status).toBe('queued');
    expect(await stopped).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    await expect(ask(api, '/health/live')).rejects.toThrow();
  });

  test('is stopped in spite of clients that keep sending, and completes every started answer', async () => {
    const api = await startProcess(ENTRY, env);
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const statuses: number[] = [];
    let broken = 0;
    const askOn = async (): Promise<void> => {
      try {
        for (;;) statuses.push(await askWith(agent, `${api.ready.url}/api/v1/jobs`));
      } catch (error) {
        if ((error as Error).message === HALF) broken += 1;
      }
    };
    const clients = Array.from({ length: 4 }, askOn);
    await waitFor(() => statuses.length > 50, { what: 'busy clients' });
    const asked = performance.now();
    expect(await api.stop()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    await Promise.all(clients);
    agent.destroy();
    expect(broken).toBe(0);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('waits for a database that is not up yet', async () => {
    const cable = new Cable();
    cable.cut();
    const mendOnceMissed = async (output: () => string) => {
      await waitFor(() => output().includes('database_unreachable'), { timeoutMs: 25_000 });
      cable.mend();
    };
    let mended: Promise<void> | undefined;
    const api = await startProcess(
      ENTRY,
      { ...env, DATABASE_URL: await cable.through(database.url) },
      {
        whileStarting: (output) => {
          mended = mendOnceMissed(output);
        },
      },
    );
    await mended;
    await submit(api);
    expect(await api.stop()).toBe(0);
    cable.remove();
  });

  test('accepts jobs while the broker is down, and reports that it is', async () => {
    const api = await startProcess(ENTRY, { ...env, RABBITMQ_URL: 'amqp://nobody:secret@127.0.0.1:9/' });
    await submit(api);
    const health = await ask(api, '/health/rabbitmq');
    expect(health.status).toBe(503);
    expect(await health.json()).toEqual({
      status: 'unhealthy',
      driver: 'rabbitmq',
      reason: expect.any(String),
    });
    expect((await ask(api, '/health/ready')).status).toBe(200);
    expect(await api.stop()).toBe(0);
    expect(api.output()).not.toContain('secret');
  });
});

describe('an API process refuses to start, in one line', () => {
  test('on a port in use', async () => {
    const api = await startProcess(ENTRY, env);
    const port = new URL(String(api.ready.url)).port;
    const second = await runToEnd(ENTRY, { ...env, PORT: port, LOG_LEVEL: 'error' });
    expect(second.exitCode).toBe(1);
    expect(second.output.trim()).toBe(`port ${port} on 127.0.0.1 is in use: stop what uses it, or set PORT`);
    expect(await api.stop()).toBe(0);
  });

  test('on a wrong configuration', async () => {
    const { exitCode, output } = await runToEnd(ENTRY, { ...env, PORT: 'http' });
    expect(exitCode).toBe(1);
    expect(output.trim()).toMatch(/^configuration: PORT: .+$/);
  });

  test('without a usable database', async () => {
    const { DATABASE_URL: _none, ...without } = env;
    const { exitCode, output } = await runToEnd(ENTRY, { ...without, LOG_LEVEL: 'error' });
    expect(exitCode).toBe(1);
    expect(output.trim()).toMatch(/^.*DATABASE_URL.*$/);
  });

  test('on a data folder it cannot write', async () => {
    const { BOOTSTRAP_API_KEY: _none, ...own } = env;
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const { exitCode, output } = await runToEnd(ENTRY, {
      ...own,
      DATA_DIR: join(file, 'data'),
      LOG_LEVEL: 'error',
    });
    expect(exitCode).toBe(1);
    expect(output.trim()).toMatch(
      /^cannot keep the API key in .+: ENOTDIR.+; set DATA_DIR or BOOTSTRAP_API_KEY$/,
    );
  });
});
