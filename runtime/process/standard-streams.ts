import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Lets this process survive the loss of its standard streams: writing to a closed output emits an
 * error, which would end a process without a listener.
 */
export function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  writeWithoutBlocking();
  // Node restores a terminal's settings when it exits, and aborts if the terminal was closed.
  process.on('exit', () => [0, 1, 2].filter(isClosedTerminal).forEach(closeSync));
}

/** Also true for another character device, such as /dev/null. */
function isClosedTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && !isatty(fd);
  } catch {
    return false;
  }
}

/**
 * Makes writes non-blocking, or a terminal whose output is held (Ctrl-S) would block the event
 * loop. Node writes to terminals synchronously. Starting a child that inherits an output makes it
 * blocking for the parent too (libuv's uv_spawn), so call this again after that.
 */
export function writeWithoutBlocking(): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Files have no `_handle`, and are always written synchronously.
    const { _handle } = stream as { _handle?: { setBlocking?(on: boolean): void } | null };
    _handle?.setBlocking?.(false);
  }
}
