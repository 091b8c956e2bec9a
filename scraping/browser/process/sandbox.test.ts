import { expect, test } from '@jest/globals';
import { explainSandboxFailure, readSandbox } from './sandbox.ts';

test('a process that is not confined is no sandboxed renderer', () => {
  // Null where the system does not tell; a filter around the whole container does not make it one.
  expect(readSandbox(process.pid)?.isOn ?? false).toBe(false);
  expect(readSandbox(2 ** 22 + 1)).toBeNull();
});

test.each([
  [
    'FATAL:zygote_host_impl_linux.cc No usable sandbox! If you are running on Ubuntu 23.10+',
    /user namespaces/,
  ],
  [
    'Failed to move to new namespace: PID namespaces supported, but failed: errno = Operation not permitted',
    /user namespaces/,
  ],
  ['The SUID sandbox helper binary was found, but is not configured correctly', /setuid helper/],
  ['Timeout 30000ms exceeded', /does not start with it/],
])('why there is none: %s', (message, reason) => {
  expect(explainSandboxFailure(message)).toMatch(reason);
});
