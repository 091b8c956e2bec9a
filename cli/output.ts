import { once } from 'node:events';
import type { Writable } from 'node:stream';
import pc from 'picocolors';
import { OutputClosed } from './failure.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** Where results go (stdout) and what is said about them (stderr). */
export class Output {
  readonly colors: Colors;
  #columnsOf: (stream: Writable) => boolean;

  constructor(
    readonly stdout: Writable & { isTTY?: boolean },
    readonly stderr: Writable & { isTTY?: boolean },
    readonly options: { json: boolean; quiet: boolean; color: boolean },
  ) {
    this.colors = pc.createColors(options.color);
    this.#columnsOf = (stream) => (stream as { isTTY?: boolean }).isTTY === true;
  }

  get isTerminal(): boolean {
    return this.#columnsOf(this.stderr);
  }

  get json(): boolean {
    return this.options.json;
  }

  /** A part of the result. Waits for a slow reader. @throws OutputClosed if the reader has left */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.stdout.destroyed || this.stdout.writableEnded) throw new OutputClosed();
    if (this.stdout.write(text)) return;
    await once(this.stdout, 'drain').catch(() => {
      throw new OutputClosed();
    });
  }

  async line(text = ''): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** One JSON text per line. */
  async value(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  /** For people; nothing with --quiet. */
  say(text: string): void {
    if (!this.options.quiet) this.stderr.write(`${text}\n`);
  }
}

/** Rows as columns of equal width; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
