import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Lets this process outlive whatever its standard streams are connected to. Writing to an output that is gone emits an error, which
 * ends a process that does not listen; and a terminal whose output is held (Ctrl-S) would stop the event loop, because Node writes
 * to terminals synchronously.
 */
export function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {});
    const { _handle } = stream as { _handle?: { setBlocking?(on: boolean): void } };
    if (stream.isTTY) _handle?.setBlocking?.(false);
  }
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on('exit', () => {
    // Node restores a terminal's settings when it exits, and aborts where the terminal was closed meanwhile.
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd);
  });
}
