import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { LineSink } from './line-sink.ts';

const notice = (dropped: number) => `${dropped} dropped`;

/**
 * A stream that handles each chunk as `take` decides: holds it until released, takes it, or fails.
 */
class Reader extends Writable {
  readonly taken: string[] = [];
  error: Error | undefined;
  #held: (() => void) | undefined;
  #isHolding = false;

  constructor(highWaterMark = 20) {
    super({ highWaterMark, decodeStrings: false });
  }

  /** Like Node's standard streams: an error does not end them. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
    (this as unknown as { _undestroy(): void })._undestroy();
  }

  hold(): void {
    this.#isHolding = true;
  }

  release(): void {
    this.#isHolding = false;
    this.#held?.();
    this.#held = undefined;
  }

  override _write(chunk: string, _encoding: string, done: (error?: Error | null) => void): void {
    const settle = () => {
      if (!this.error) this.taken.push(chunk);
      done(this.error);
    };
    if (this.#isHolding) this.#held = settle;
    else settle();
  }

  get text(): string {
    return this.taken.join('');
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a line sink', () => {
  test('writes lines in order', () => {
    const reader = new Reader();
    const sink = new LineSink(reader, { notice });
    for (const line of ['a', 'b', 'c']) sink.write(line);
    expect(reader.text).toBe('a\nb\nc\n');
    expect(sink.dropped).toBe(0);
  });

  test('queues what fits for a slow reader, drops the rest, and reports the number in its place', async () => {
    const reader = new Reader();
    const sink = new LineSink(reader, { notice, queueLimit: 40 });
    reader.hold();
    for (let n = 0; n < 100; n++) sink.write(`line ${n % 10} ...`);
    const held = 100 - sink.dropped;
    expect(sink.dropped).toBeGreaterThan(80);
    expect(reader.writableLength).toBeLessThan(60);
    reader.release();
    await settled();
    await sink.flush(1000);
    sink.write('after');
    const lines = reader.text.trim().split('\n');
    expect(lines).toHaveLength(held + 2);
    expect(lines[held]).toBe(`${100 - held} dropped`);
    expect(lines.at(-1)).toBe('after');
  });

  test('counts each line once over several gaps', async () => {
    const reader = new Reader();
    const sink = new LineSink(reader, { notice, queueLimit: 20 });
    let reported = 0;
    for (let gap = 0; gap < 3; gap++) {
      reader.hold();
      for (let n = 0; n < 20; n++) sink.write('0123456789');
      reader.release();
      await settled();
      await sink.flush(1000);
    }
    for (const [, count] of reader.text.matchAll(/^(\d+) dropped$/gm)) reported += Number(count);
    expect(reported).toBe(sink.dropped);
    expect(reader.text.match(/^0123456789$/gm)?.length).toBe(60 - sink.dropped);
  });

  test('survives a failed stream, reports it once, and retries it later', async () => {
    const reader = new Reader();
    const failures: string[] = [];
    const sink = new LineSink(reader, {
      notice,
      retryMs: 60_000,
      onFailed: ({ message }) => failures.push(message),
    });
    reader.error = new Error('EPIPE');
    let asked = 0;
    const write = reader._write.bind(reader);
    reader._write = (...given) => {
      asked += 1;
      write(...given);
    };
    for (let n = 0; n < 50; n++) {
      sink.write('lost');
      await settled();
    }
    expect(failures).toEqual(['EPIPE']);
    expect(sink.dropped).toBe(50);
    expect(asked).toBe(1);
    expect(sink.failure).toBeDefined();
  });

  test('lines queued when the stream fails are dropped and counted', async () => {
    const reader = new Reader();
    const sink = new LineSink(reader, { notice, retryMs: 60_000 });
    reader.hold();
    for (let n = 0; n < 30; n++) sink.write('0123456789');
    reader.error = new Error('EPIPE');
    reader.release();
    await settled();
    await sink.flush(1000);
    sink.write('one more');
    expect(sink.dropped).toBe(31);
    expect(reader.text).toBe('');
  });

  test('resumes on a new line when the stream works again, and reports how many lines are missing', async () => {
    const reader = new Reader();
    const sink = new LineSink(reader, { notice, retryMs: 0 });
    reader.error = new Error('ENOSPC');
    for (let n = 0; n < 5; n++) {
      sink.write('lost');
      await settled();
    }
    reader.error = undefined;
    sink.write('back');
    await settled();
    sink.write('next');
    expect(reader.text).toBe('\nback\n5 dropped\nnext\n');
    expect(sink.failure).toBeUndefined();
  });

  test('a reader that never reads does not block a flush', async () => {
    const reader = new Reader();
    const sink = new LineSink(reader, { notice });
    reader.hold();
    sink.write('never read');
    await sink.flush(50);
    expect(reader.text).toBe('');
  });
});
