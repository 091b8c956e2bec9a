import { createCircuitBreakers } from './circuit-breakers.ts';

const circuits = (changes: [string, boolean][] = []) =>
  createCircuitBreakers<{ ok: boolean }>({
    isFailure: ({ ok }) => !ok,
    failuresToOpen: 2,
    firstPauseMs: 60_000,
    onChange: (...change) => changes.push(change),
  });
const fails = async () => ({ ok: false });

test('consecutive failures open the circuit of their key and of no other', async () => {
  const changes: [string, boolean][] = [];
  const { run } = circuits(changes);
  expect([await run('a', fails), await run('a', fails), await run('a', fails)]).toEqual([
    { ok: false },
    { ok: false },
    null,
  ]);
  expect(await run('b', fails)).toEqual({ ok: false });
  expect(changes).toEqual([['a', true]]);
});

test('a success resets the count of failures', async () => {
  const { run } = circuits();
  for (let time = 0; time < 5; time += 1) {
    expect(await run('a', fails)).toEqual({ ok: false });
    expect(await run('a', async () => ({ ok: true }))).toEqual({ ok: true });
  }
});

test('an error of the work is rethrown and does not count as a failure', async () => {
  const { run } = circuits();
  const breaks = async () => {
    throw new Error('our own mistake');
  };
  for (let time = 0; time < 5; time += 1) await expect(run('a', breaks)).rejects.toThrow('our own mistake');
  expect(await run('a', fails)).toEqual({ ok: false });
});
