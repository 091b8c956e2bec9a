import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { commandOf, descendantsOf, isRunning } from '../support/proc.ts';
import { waitFor } from '../support/wait-for.ts';

/** A test run that a signal interrupts leaves no processes behind. */

const root = join(import.meta.dirname, '..', '..');

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)('a test run that gets %s', (signal) => {
  test('is gone within moments, with its services and their reapers', async () => {
    // A file without dependencies; Jest starts the shared Postgres for it all the same.
    const args = [
      'scripts/jest.mjs',
      '--selectProjects',
      'system',
      '--',
      'test/integration/processes/port.test.ts',
    ];
    const run = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' });
    const ended = new Promise((resolve) => run.once('exit', (code, by) => resolve(by ?? code)));
    const seen = new Set<number>();
    await waitFor(
      () => {
        for (const pid of descendantsOf(Number(run.pid))) seen.add(pid);
        return [...seen].some((pid) => /postgres: checkpointer/.test(commandOf(pid)));
      },
      { what: 'its Postgres to run', timeoutMs: 90_000 },
    );
    run.kill(signal);
    expect(await ended).toBe(signal === 'SIGKILL' ? 'SIGKILL' : 1);
    await waitFor(() => ![...seen].some(isRunning), {
      what: 'everything to be gone',
      timeoutMs: 20_000,
    });
  });
});
