import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import type { Admission, MayFollow, Onward, VisitResult } from '../../../scraping/politeness/politeness.ts';
import { createCircuits } from './circuit-breakers.ts';
import { createVisitPage, type Later, snoozeFor } from './polite-fetch.ts';

const scraped = (retryAfterMs: number | null = null, finalUrl: string | null = null): ScrapedPage =>
  ({ page: { final_url: finalUrl, error: null }, artifacts: [], retryAfterMs }) as unknown as ScrapedPage;

/** A host that answers as told, one answer after the other, and what it was told of each visit. */
function host(admissions: (Admission | 'go' | number)[] = [], onward: Record<string, Onward> = {}) {
  const ends: VisitResult[] = [];
  const asked: (boolean | undefined)[] = [];
  const visitPage = createVisitPage({
    circuits: createCircuits(() => {}),
    manners: {
      admit: async (_url, _signal, options) => {
        asked.push(options?.isBack);
        const next = admissions.shift() ?? 'go';
        if (typeof next === 'number') return { kind: 'wait', ms: next };
        if (next !== 'go') return next;
        return {
          kind: 'go',
          follow: async (url) => onward[url] ?? { kind: 'go' },
          done: (result = {}) => void ends.push(result),
        };
      },
    },
  });
  const visit = (load: (mayFollow: MayFollow) => Promise<ScrapedPage>, job = { isBack: false, snoozes: 0 }) =>
    visitPage('https://example.com/a', load, job, new AbortController().signal);
  return { visit, ends, asked };
}

test('a page is loaded in its turn, which ends with it', async () => {
  const { visit, ends } = host();
  expect(await visit(async () => scraped())).toMatchObject({ kind: 'page' });
  expect(ends).toEqual([{ pauseMs: 0, host: 'example.com' }]);
});

test('the turn ends also where the page does not', async () => {
  const { visit, ends } = host();
  await expect(visit(async () => Promise.reject(new Error('cancelled')))).rejects.toThrow('cancelled');
  expect(ends).toHaveLength(1);
});

test('a busy host is for later, at no cost', async () => {
  const { visit } = host([7000]);
  const later = { code: 'host_busy', host: 'example.com', delayMs: 7000, patience: 'kept' };
  expect(await visit(async () => scraped())).toMatchObject({ kind: 'later', later });
});

test('a short pause is waited for on the spot, a long one elsewhere', async () => {
  const { visit, ends, asked } = host();
  const answers = [scraped(1500), scraped(60_000)];
  const visited = await visit(async () => answers.shift() ?? scraped());
  expect(visited).toMatchObject({ kind: 'later', later: { code: 'site_asked_to_wait', delayMs: 60_000 } });
  expect(ends).toMatchObject([{ pauseMs: 1500 }, { pauseMs: 60_000 }]);
  expect(asked).toEqual([false, true]);
});

test('a page is not loaded from where it leads, if robots.txt is against it there', async () => {
  const next = 'https://example.com/private';
  const { visit } = host([], { [next]: disallowed('robots_disallowed') });
  let said: unknown;
  await visit(async (mayFollow) => {
    await mayFollow('https://example.com/open');
    said = await mayFollow(next).catch((error: unknown) => error);
    return scraped();
  });
  expect(said).toMatchObject({ name: 'PageFailure', code: 'robots_disallowed' });
});

test('a page that leads to a busy host is for later, whatever came of it', async () => {
  const next = 'https://busy.example/';
  const { visit, ends } = host([], { [next]: { kind: 'wait', ms: 9000 } });
  const visited = await visit(async (mayFollow) => {
    await mayFollow(next).catch(() => {});
    return scraped();
  });
  const later = { host: 'example.com', code: 'host_busy', message: 'waiting for a turn at busy.example' };
  expect(visited).toMatchObject({ kind: 'later', later: { ...later, delayMs: 9000 } });
  expect(ends).toHaveLength(1);
});

test('the pause is for the host that asked for it, where a page was led on', async () => {
  const { visit, ends } = host();
  const visited = await visit(async () => scraped(60_000, 'https://other.example/limit'));
  expect(ends).toEqual([{ pauseMs: 60_000, host: 'other.example' }]);
  expect(visited).toMatchObject({
    later: { host: 'example.com', message: expect.stringMatching(/^other\.example asked/) },
  });
});

test('a host that asks for a pause again and again is taken at its word', async () => {
  expect(await host().visit(async () => scraped(1))).toMatchObject({ kind: 'page' });
  const weary = { isBack: true, snoozes: 10 };
  expect(await host().visit(async () => scraped(60_000), weary)).toMatchObject({ kind: 'page' });
});

test('a job comes back for the first of what it waits for, and what it got done restores its patience', () => {
  const later = (delayMs: number, patience: Later['patience']): Later => ({
    ...{ host: 'x', code: `in_${delayMs}`, message: '', delayMs, patience },
  });
  expect(snoozeFor([later(9000, 'spent'), later(4000, 'kept')], true)).toMatchObject({
    code: 'in_4000',
    delayMs: 4000,
    patience: 'kept',
  });
  expect(snoozeFor([later(9000, 'spent')], true).patience).toBe('restored');
  expect(snoozeFor([later(9000, 'spent')], false).patience).toBe('spent');
});

const disallowed = (code: string): Admission => ({ kind: 'disallowed', error: { code, message: code } });

test('a page that robots.txt does not allow is answered for, and its site is not down', async () => {
  const { visit } = host(Array.from({ length: 20 }, () => disallowed('robots_disallowed')));
  for (let page = 0; page < 20; page += 1) {
    expect(await visit(async () => scraped())).toMatchObject({ error: { code: 'robots_disallowed' } });
  }
});

test('a site whose robots.txt cannot be reached time after time is left alone', async () => {
  const { visit } = host(Array.from({ length: 11 }, () => disallowed('connection_refused')));
  const kinds: string[] = [];
  for (let page = 0; page < 11; page += 1) kinds.push((await visit(async () => scraped())).kind);
  expect(kinds).toEqual([...Array(10).fill('disallowed'), 'later']);
});
