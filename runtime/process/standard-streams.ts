import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Lets this process outlive whatever its standard streams are connected to: writing to an output that is gone emits an error, which
 * ends a process that does not listen.
 */
export function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  writeWithoutBlocking();
  // Node restores a terminal's settings when it exits, and aborts where the terminal was closed meanwhile.
  process.on('exit', () => [0, 1, 2].filter(isClosedTerminal).forEach(closeSync));
}

/** Or another device, such as /dev/null. */
function isClosedTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && !isatty(fd);
  } catch {
    return false;
  }
}

/**
 * A write must not wait for its reader, or a terminal whose output is held (Ctrl-S) stops the event loop. Node writes to terminals
 * synchronously; and the start of a child that inherits an output makes it blocking for its parent too (libuv's uv_spawn), so this
 * is to be repeated then.
 */
export function writeWithoutBlocking(): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Files have none, and are always written synchronously.
    const { _handle } = stream as { _handle?: { setBlocking?(on: boolean): void } | null };
    _handle?.setBlocking?.(false);
  }
}
