import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LogFields, Logger } from '../../../runtime/log/logger.ts';
import { SupervisedProcess } from '../../../supervisor/supervised-process.ts';
import { waitFor } from '../../support/wait-for.ts';

let dir: string;
let logged: { event: string; fields: LogFields | undefined }[];
let kept: SupervisedProcess | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'leadengine-kept-'));
  logged = [];
});

afterEach(async () => {
  kept?.killAtOnce();
  await kept?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('a supervised process', () => {
  test('is ready when it reports so, and stops on request', async () => {
    expect(await child('obedient').start()).toEqual({ type: 'ready', url: 'http://child' });
    await kept?.stop();
    const [pid] = await pids('started');
    expect(await pids('stopped by request')).toEqual([pid]);
    expect(isRunning(pid)).toBe(false);
  });

  test('is restarted after an unexpected end', async () => {
    await child('obedient').start();
    const [first] = await pids('started');
    process.kill(Number(first), 'SIGKILL');
    await waitFor(async () => (await pids('started')).length === 2, { what: 'the second start' });
    expect(logged).toContainEqual({
      event: 'process_died',
      fields: expect.objectContaining({ reason: 'it was ended by SIGKILL', restart_in_ms: 1000 }),
    });
  });

  test('backs off longer after each failure', async () => {
    await child('crashing').supervise();
    await waitFor(() => logged.filter(({ event }) => event === 'process_died').length === 3, {
      what: 'three failures',
    });
    expect(logged.map(({ fields }) => fields?.restart_in_ms).filter(Boolean)).toEqual([1000, 2000, 4000]);
  });

  test('that cannot start reports why, if it must', async () => {
    await expect(child('crashing').start()).rejects.toThrow('the test did not start: it ended with code 3');
  });

  test('that does not stop is killed', async () => {
    await child('stubborn', 200).start();
    const [pid] = await pids('started');
    await kept?.stop();
    expect(await pids('stopped by request')).toEqual([pid]);
    expect(isRunning(pid)).toBe(false);
    expect(logged).toContainEqual({ event: 'process_killed', fields: { name: 'test', after_ms: 200 } });
  });

  test('that is stopped during its back-off is not started again', async () => {
    await child('crashing').supervise();
    await waitFor(() => logged.some(({ event }) => event === 'process_died'));
    await kept?.stop();
    expect(await pids('started')).toHaveLength(1);
  });
});

function child(behaviour: string, stopMs = 10_000): SupervisedProcess {
  kept = new SupervisedProcess({
    name: 'test',
    entry: join(import.meta.dirname, '..', '..', 'support', 'processes', 'supervised-child.mjs'),
    env: { PATH: process.env.PATH, CHILD: behaviour, CHILD_LOG: join(dir, 'log') },
    stopMs,
    logger: recorder,
  });
  return kept;
}

const record = (event: string, fields?: LogFields) => void logged.push({ event, fields });
const recorder: Logger = { error: record, warn: record, info: record, debug: () => {}, with: () => recorder };

async function pids(event: string): Promise<string[]> {
  const log = await readFile(join(dir, 'log'), 'utf8').catch(() => '');
  return [...log.matchAll(new RegExp(`^${event} (\\d+)$`, 'gm'))].map(([, pid]) => pid ?? '');
}

function isRunning(pid: string | undefined): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}
