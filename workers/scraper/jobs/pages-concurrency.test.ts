import pMap from 'p-map';

const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};
const ticks = async () => {
  for (let tick = 0; tick < 20; tick += 1) await Promise.resolve();
};

/** Properties of p-map that a job with several pages depends on. */
const TWO = { concurrency: 2 };

describe('the pages of a job, as p-map runs them,', () => {
  it('run with the given concurrency, in order', async () => {
    const gates = [gate(), gate(), gate(), gate()];
    const begun: number[] = [];
    const all = pMap(
      [0, 1, 2, 3],
      async (item) => {
        begun.push(item);
        await gates[item]?.opened;
      },
      TWO,
    );
    await ticks();
    expect(begun).toEqual([0, 1]);
    gates[1]?.open();
    await ticks();
    expect(begun).toEqual([0, 1, 2]);
    for (const { open } of gates) open();
    await all;
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('begin nothing more after a failure, and reject at once', async () => {
    const hanging = gate();
    const begun: number[] = [];
    const all = pMap(
      [0, 1, 2, 3],
      async (item) => {
        begun.push(item);
        if (item === 1) throw new Error('broken');
        await hanging.opened;
      },
      TWO,
    );
    await expect(all).rejects.toThrow('broken');
    hanging.open();
    await ticks();
    expect(begun).toEqual([0, 1]);
  });

  it('resolve at once without items', async () => {
    await expect(pMap([], async () => {}, { concurrency: 4 })).resolves.toEqual([]);
  });
});
