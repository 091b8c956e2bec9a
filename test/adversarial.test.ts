import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { extract } from '../scraping/extraction/extract.ts';
import { FILE_ATTACKS } from './adversarial/files.ts';
import { HOSTILE_PAGES } from './adversarial/pages.ts';
import { ATTACKS } from './adversarial/parsers.ts';

/**
 * Input from outside is read in time linear in its length. Processor time is compared, of an input and of one four times as long:
 * twelve times as much is far from four and short of the sixteen that a square takes. `ADVERSARIAL_SCALE=8` tries longer inputs.
 */
const SCALE = Number(process.env.ADVERSARIAL_SCALE ?? 1);
const MOST_GROWTH = 12;
/** Less says nothing: it is the compiler's, or the collector's. */
const FLOOR_MS = 150;
/** Held after reading the longer one. */
const MOST_HEAP_BYTES = 64 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** @returns what the longer reading returned */
async function expectLinear(read: (size: number) => unknown, size: number): Promise<unknown> {
  await read(size);
  const once = await cpuMs(() => read(size));
  let held: unknown;
  const readLonger = () =>
    cpuMs(async () => {
      held = await read(4 * size);
    });
  const growth = async () => {
    const fourfold = await readLonger();
    return fourfold <= FLOOR_MS ? 0 : fourfold / Math.max(once, FLOOR_MS / MOST_GROWTH);
  };
  // A second look, before a busy machine is taken for a slow parser.
  const first = await growth();
  expect(first < MOST_GROWTH ? first : await growth()).toBeLessThan(MOST_GROWTH);
  return held;
}

test.each([...ATTACKS, ...FILE_ATTACKS].map((attack) => [attack.name, attack] as const))(
  '%s',
  async (_, { make, read, size }) => {
    const texts = new Map<number, string>();
    const textOf = (length: number) => {
      const text = texts.get(length) ?? make(length);
      texts.set(length, text);
      return text;
    };
    textOf(4 * size * SCALE);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const held = await expectLinear((length) => read(textOf(length)), size * SCALE);
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(MOST_HEAP_BYTES);
    expect(held).not.toBeInstanceOf(Error);
  },
);

test.each(Object.entries(HOSTILE_PAGES))('page: %s', async (_, make) => {
  const read = (size: number) => {
    try {
      return extract({
        html: make(size),
        ...{ url: 'https://www.example.com/a', title: null, charset: 'UTF-8', mainContent: true },
        formats: ['markdown', 'html', 'text', 'links', 'metadata', 'contacts'],
      });
    } catch (error) {
      // Nested too deeply for this thread's stack: an error of the page, and an early one.
      if (error instanceof RangeError) return null;
      throw error;
    }
  };
  await expectLinear(read, 6000 * SCALE);
});
