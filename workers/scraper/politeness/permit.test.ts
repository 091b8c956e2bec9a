import { Permit } from './permit.ts';

/** Hosts whose permits the test grants. */
function hosts() {
  const released: string[] = [];
  const asked = new Map<string, () => void>();
  const source = {
    robots: async () => ({ kind: 'granted', gapMs: 0 }) as const,
    host: async (name: string) => {
      if (name.startsWith('slow')) await new Promise<void>((resolve) => asked.set(name, resolve));
      return { kind: 'granted' as const, release: () => void released.push(name) };
    },
  };
  const acquire = async () => {
    const permit = await Permit.acquire('https://first.example/', source, new AbortController().signal);
    if (permit.kind !== 'granted') throw new Error(`expected a permit, got ${permit.kind}`);
    return permit;
  };
  return { released, acquire, answer: (name: string) => asked.get(name)?.() };
}

test('a page holds one permit per host it is redirected to, until it ends', async () => {
  const { released, acquire } = hosts();
  {
    using permit = await acquire();
    for (const url of ['https://first.example/a', 'https://other.example/b', 'https://other.example/c'])
      expect(await permit.follow(url)).toEqual({ kind: 'granted' });
    expect(released).toEqual([]);
  }
  expect(released).toEqual(['first.example', 'other.example']);
});

test('a permit granted after the page has ended is released at once', async () => {
  const { released, acquire, answer } = hosts();
  const permit = await acquire();
  const decision = permit.follow('https://slow.example/');
  await new Promise(setImmediate);
  permit[Symbol.dispose]();
  expect(released).toEqual(['first.example']);
  answer('slow.example');
  await decision;
  expect(released).toEqual(['first.example', 'slow.example']);
});
