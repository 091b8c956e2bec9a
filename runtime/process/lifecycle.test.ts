import { describe, expect, test } from '@jest/globals';
import type { LogFields, Logger } from '../log/logger.ts';
import { Lifecycle } from './lifecycle.ts';

let logged: { event: string; fields: LogFields | undefined }[] = [];
const record = (event: string, fields?: LogFields) => void logged.push({ event, fields });
const logger: Logger = { error: record, warn: record, info: record, debug: record, with: () => logger };

const never = () => new Promise<void>(() => {});

describe('a lifecycle', () => {
  test('stops started parts in reverse order, one after another', async () => {
    const log: string[] = [];
    const lifecycle = new Lifecycle(logger, 10_000);
    for (const name of ['database', 'queue', 'worker']) {
      await lifecycle.start({
        name,
        stop: async () => {
          log.push(`${name} stops`);
          await new Promise((resolve) => setImmediate(resolve));
          log.push(`${name} stopped`);
        },
      });
    }
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(log).toEqual(
      ['worker', 'queue', 'database'].flatMap((name) => [`${name} stops`, `${name} stopped`]),
    );
  });

  test('skips a part that does not stop, logs its name, and still stops the others', async () => {
    logged = [];
    const stopped: string[] = [];
    const lifecycle = new Lifecycle(logger, 50);
    await lifecycle.start({ name: 'database', stop: () => void stopped.push('database') });
    await lifecycle.start({ name: 'queue', stop: never });
    await lifecycle.start({ name: 'worker', stop: never, waitsFor: () => ['job 1', 'job 2'] });
    await lifecycle.stop();
    expect(stopped).toEqual(['database']);
    expect(logged).toEqual([
      { event: 'stop_timed_out', fields: { waiting_for: ['job 1', 'job 2', 'queue'], after_ms: 50 } },
    ]);
  });

  test('a part that fails to stop does not keep the others from stopping', async () => {
    logged = [];
    const stopped: string[] = [];
    const lifecycle = new Lifecycle(logger, 10_000);
    await lifecycle.start({ name: 'first', stop: () => void stopped.push('first') });
    await lifecycle.start({ name: 'second', stop: () => Promise.reject(new Error('no')) });
    await lifecycle.stop();
    expect(stopped).toEqual(['first']);
    expect(logged.map(({ event }) => event)).toEqual(['stop_failed']);
  });

  test('starts nothing after a stop', async () => {
    const lifecycle = new Lifecycle(logger, 10_000);
    await lifecycle.stop();
    let started = false;
    void lifecycle.start({
      name: 'late',
      start: () => {
        started = true;
      },
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(started).toBe(false);
  });
});
