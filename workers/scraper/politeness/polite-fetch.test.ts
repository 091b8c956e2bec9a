import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import {
  type Denied,
  type RedirectDecision,
  type RedirectPermission,
  requireGranted,
} from '../../../scraping/politeness/permit.ts';
import { createSiteCircuitBreakers } from './circuit-breakers.ts';
import { Permit } from './permit.ts';
import { createPoliteFetch, snoozeFor, type Wait } from './polite-fetch.ts';

const scraped = (retryAfterMs: number | null = null, finalUrl: string | null = null): ScrapedPage =>
  ({ page: { final_url: finalUrl, error: null }, artifacts: [], retryAfterMs }) as unknown as ScrapedPage;

const FIRST = 'https://example.com/a';

/** Hosts with scripted decisions, and their released permits with the pause of each. */
function host(decisions: (Denied | 'granted' | number)[] = [], redirects: Record<string, Denied> = {}) {
  const released: { host: string; pauseMs: number }[] = [];
  const asked: (boolean | undefined)[] = [];
  const politeFetch = createPoliteFetch({
    circuits: createSiteCircuitBreakers(() => {}),
    politeness: {
      acquire: async (url, signal, options) => {
        asked.push(options?.isResumed);
        const next = decisions.shift() ?? 'granted';
        if (typeof next === 'number') return { kind: 'wait', ms: next };
        if (next !== 'granted') return next;
        const source = {
          robots: async (to: string) => redirects[to] ?? ({ kind: 'granted', gapMs: 0 } as const),
          host: async (name: string) => ({
            kind: 'granted' as const,
            release: (pauseMs = 0) => void released.push({ host: name, pauseMs }),
          }),
        };
        return Permit.acquire(url, source, signal);
      },
    },
  });
  const visit = (
    load: (permit: RedirectPermission) => Promise<ScrapedPage>,
    job = { isResumed: false, snoozes: 0 },
  ) => politeFetch(FIRST, load, job, new AbortController().signal);
  return { visit, released, asked };
}

test('a page is loaded under a permit, which is released after it', async () => {
  const { visit, released } = host();
  expect(await visit(async () => scraped())).toMatchObject({ kind: 'page' });
  expect(released).toEqual([{ host: 'example.com', pauseMs: 0 }]);
});

test('the permit is released also if the page fails', async () => {
  const { visit, released } = host();
  await expect(visit(async () => Promise.reject(new Error('cancelled')))).rejects.toThrow('cancelled');
  expect(released).toHaveLength(1);
});

test('a page of a busy host is postponed at no cost', async () => {
  const { visit } = host([7000]);
  const wait = { code: 'host_busy', host: 'example.com', delayMs: 7000, budget: 'unchanged' };
  expect(await visit(async () => scraped())).toMatchObject({ kind: 'postponed', wait });
});

test('a short pause is waited for in the slot, a long one postpones the page', async () => {
  const { visit, released, asked } = host();
  const answers = [scraped(1500), scraped(60_000)];
  const visited = await visit(async () => answers.shift() ?? scraped());
  expect(visited).toMatchObject({ kind: 'postponed', wait: { code: 'site_asked_to_wait', delayMs: 60_000 } });
  expect(released).toMatchObject([{ pauseMs: 1500 }, { pauseMs: 60_000 }]);
  expect(asked).toEqual([false, true]);
});

test('a redirect that robots.txt disallows is not followed', async () => {
  const next = 'https://example.com/private';
  const { visit } = host([], { [next]: disallowed('robots_disallowed') });
  const said: RedirectDecision[] = [];
  await visit(async (permit) => {
    said.push(await permit.follow('https://example.com/open'), await permit.follow(next));
    return scraped();
  });
  expect(said.map(({ kind }) => kind)).toEqual(['granted', 'disallowed']);
  const failure = expect.objectContaining({ name: 'PageFailure', code: 'robots_disallowed' });
  expect(() => said.forEach(requireGranted)).toThrow(failure);
});

test('a page that redirects to a busy host is postponed, whatever its result', async () => {
  const next = 'https://busy.example/';
  const { visit, released } = host([], { [next]: { kind: 'wait', ms: 9000 } });
  const visited = await visit(async (permit) => {
    await permit.follow(next);
    return scraped();
  });
  const wait = { host: 'example.com', code: 'host_busy', message: 'waiting for a permit of busy.example' };
  expect(visited).toMatchObject({ kind: 'postponed', wait: { ...wait, delayMs: 9000 } });
  expect(released).toHaveLength(1);
});

test('after a redirect the pause is for the host that asked for it', async () => {
  const { visit, released } = host();
  const visited = await visit(async (permit) => {
    await permit.follow('https://other.example/limit');
    return scraped(60_000, 'https://other.example/limit');
  });
  expect(released).toEqual([
    { host: 'example.com', pauseMs: 0 },
    { host: 'other.example', pauseMs: 60_000 },
  ]);
  expect(visited).toMatchObject({
    wait: { host: 'example.com', message: expect.stringMatching(/^other\.example asked/) },
  });
});

test('a host that asks for a pause every time gets its answer stored', async () => {
  expect(await host().visit(async () => scraped(1))).toMatchObject({ kind: 'page' });
  const weary = { isResumed: true, snoozes: 10 };
  expect(await host().visit(async () => scraped(60_000), weary)).toMatchObject({ kind: 'page' });
});

test('a job is snoozed until its first page is due, and progress resets its budget', () => {
  const wait = (delayMs: number, budget: Wait['budget']): Wait => ({
    ...{ host: 'x', code: `in_${delayMs}`, message: '', delayMs, budget },
  });
  expect(snoozeFor([wait(9000, 'consumed'), wait(4000, 'unchanged')], true)).toMatchObject({
    code: 'in_4000',
    delayMs: 4000,
    budget: 'unchanged',
  });
  expect(snoozeFor([wait(9000, 'consumed')], true).budget).toBe('reset');
  expect(snoozeFor([wait(9000, 'consumed')], false).budget).toBe('consumed');
});

const disallowed = (code: string): Denied => ({ kind: 'disallowed', error: { code, message: code } });

test('a page that robots.txt disallows is an error, and does not count against its site', async () => {
  const { visit } = host(Array.from({ length: 20 }, () => disallowed('robots_disallowed')));
  for (let page = 0; page < 20; page += 1) {
    expect(await visit(async () => scraped())).toMatchObject({ error: { code: 'robots_disallowed' } });
  }
});

test('repeated failures to reach robots.txt open the circuit of a site', async () => {
  const { visit } = host(Array.from({ length: 11 }, () => disallowed('connection_refused')));
  const kinds: string[] = [];
  for (let page = 0; page < 11; page += 1) kinds.push((await visit(async () => scraped())).kind);
  expect(kinds).toEqual([...Array(10).fill('disallowed'), 'postponed']);
});
