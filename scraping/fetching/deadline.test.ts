import { Deadline, resolvesWithin } from './deadline.ts';

const never = new Promise<never>(() => {});
const running = () => new AbortController().signal;

describe('a deadline', () => {
  it('rejects what is awaited at the timeout', async () => {
    const deadline = new Deadline(5, running(), () => new Error('late'));
    await expect(deadline.race(never)).rejects.toThrow('late');
    await expect(deadline.race(Promise.resolve(1))).rejects.toThrow('late');
    expect(deadline.signal.aborted).toBe(true);
  });

  it('ends with the reason of the signal, also one that fired before', async () => {
    const reason = new Error('cancelled');
    const late = new Deadline(10_000, AbortSignal.abort(reason), () => new Error('late'));
    await expect(late.race(never)).rejects.toBe(reason);
    late.dispose();

    const controller = new AbortController();
    const deadline = new Deadline(10_000, controller.signal, () => new Error('late'));
    const awaited = deadline.sleep(10_000);
    controller.abort(reason);
    await expect(awaited).rejects.toBe(reason);
    deadline.dispose();
  });

  it('keeps the first reason it ended for', async () => {
    const deadline = new Deadline(10_000, running(), () => new Error('late'));
    deadline.end(new Error('crashed'));
    deadline.end(new Error('other'));
    await expect(deadline.race(never)).rejects.toThrow('crashed');
    deadline.dispose();
  });

  it('passes on results in time', async () => {
    const deadline = new Deadline(10_000, running(), () => new Error('late'));
    await expect(deadline.race(Promise.resolve(1))).resolves.toBe(1);
    await expect(deadline.race(Promise.reject(new Error('its own')))).rejects.toThrow('its own');
    deadline.dispose();
  });
});

it('resolvesWithin is false for a rejected or late promise', async () => {
  expect(await resolvesWithin(Promise.resolve(), 1000)).toBe(true);
  expect(await resolvesWithin(Promise.reject(new Error('no')), 1000)).toBe(false);
  expect(await resolvesWithin(never, 5)).toBe(false);
});
