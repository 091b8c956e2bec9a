import { readFileSync } from 'node:fs';

/** Whether Chromium's sandbox holds its renderers, which run the pages' code. */
export type Sandbox = { isOn: true } | { isOn: false; reason: string };

/** Why no sandbox is tried; null: it is. */
export const sandboxObstacle = (): string | null =>
  process.getuid?.() === 0 ? 'the worker runs as root, and Chromium has no sandbox for root' : null;

/** Why a Chromium without a sandbox starts here and one with it does not. */
export function explainSandboxFailure(message: string): string {
  if (/No usable sandbox|user namespaces?|unprivileged_userns|Operation not permitted|EPERM/i.test(message))
    return 'this machine or container allows no user namespaces, and there is no setuid helper';
  if (/suid|setuid|chrome-sandbox/i.test(message)) return 'its setuid helper is not set up';
  return 'Chromium does not start with it';
}

/**
 * Reads from the kernel whether a renderer is confined: a seccomp filter, and a process id
 * namespace of its own. Null if the kernel does not tell: no Linux.
 */
export function readSandbox(rendererPid: number): Sandbox | null {
  const ours = statusOf('self');
  const renderers = statusOf(String(rendererPid));
  if (!ours || !renderers) return null;
  if (renderers.seccomp !== 2) return { isOn: false, reason: 'its renderers run without a seccomp filter' };
  if (renderers.namespaces <= ours.namespaces)
    return { isOn: false, reason: 'its renderers run in the namespaces of the worker' };
  return { isOn: true };
}

function statusOf(pid: string): { seccomp: number; namespaces: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const seccomp = Number(/^Seccomp:\s*(\d)/m.exec(status)?.[1] ?? Number.NaN);
    // The process id in each namespace that the process is in, outermost first.
    const namespaces = /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).length ?? 0;
    return { seccomp, namespaces };
  } catch {
    return null;
  }
}
