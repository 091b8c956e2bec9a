import type { ServerResponse } from 'node:http';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/** What a site sees of four workers at once, from its own log. */

const WORKERS = 4;

interface Visit {
  path: string;
  arrivedAt: number;
  /** Concurrent requests when this one arrived, including itself. */
  inFlight: number;
}

/**
 * A site that records when each request came and how many were concurrent, and answers as `answer`
 * says.
 */
async function startLoggedSite(answer: (path: string, response: ServerResponse) => void | Promise<void>) {
  const visits: Visit[] = [];
  let inFlight = 0;
  const site: Site = await startSite({
    otherwise: async (request, response) => {
      inFlight += 1;
      const path = request.url ?? '/';
      visits.push({ path, arrivedAt: performance.now(), inFlight });
      response.once('close', () => {
        inFlight -= 1;
      });
      await answer(path, response);
    },
  });
  return { site, visits, pages: () => visits.filter(({ path }) => path !== '/robots.txt') };
}

const send = (response: ServerResponse, body: string, status = 200, headers = {}) =>
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(body);

const page = (path: string) => `<title>Page ${path}</title><main><p>This is the page at ${path}.</p></main>`;

describe('a host with robots.txt, and at most two pages at once', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({
      driver: 'embedded',
      workers: WORKERS,
      env: {
        HOST_CONCURRENCY: '2',
        WORKER_CONCURRENCY: '2',
        USER_AGENT: 'LeadEngine/9.9 (+https://example.com/bot)',
      },
    });
  });
  afterAll(() => fleet?.stop());

  test('never has more than two concurrent requests, and has two', async () => {
    const waiting: (() => void)[] = [];
    let paired = false;
    const { site, visits, pages } = await startLoggedSite(async (path, response) => {
      if (path === '/robots.txt') return void send(response, '', 404);
      // The first page is answered once a second one arrives: a fleet that sends one at a time
      // would hang here.
      if (!paired) {
        const second = new Promise<void>((resolve) => waiting.push(resolve));
        if (waiting.length === 2) {
          paired = true;
          for (const go of waiting) go();
        }
        await second;
      }
      setTimeout(() => send(response, page(path)), 30);
    });
    try {
      const jobs = Array.from({ length: 40 }, (_, number) => ({ urls: [`${site.url}/page/${number}`] }));
      const ids = await fleet.client.postBatch(jobs);
      const done = await fleet.client.untilAll(ids, 'completed', 'failed');
      expect(done.map(({ status }) => status)).toEqual(jobs.map(() => 'completed'));
      expect(Math.max(...visits.map(({ inFlight }) => inFlight))).toBe(2);
      expect(
        pages()
          .map(({ path }) => path)
          .sort(),
      ).toEqual(jobs.map((_, n) => `/page/${n}`).sort());
      expect(visits.filter(({ path }) => path === '/robots.txt')).toHaveLength(1);
    } finally {
      await site.close();
    }
  });

  test('gets no request that its robots.txt disallows', async () => {
    const { site, visits, pages } = await startLoggedSite((path, response) =>
      path === '/robots.txt'
        ? void send(
            response,
            'User-agent: *\nDisallow: /\n\nUser-agent: leadengine\nDisallow: /private\nAllow: /private/open\n',
          )
        : void send(response, page(path)),
    );
    try {
      const mixed = { urls: ['/open', '/private/a', '/private/open'].map((path) => `${site.url}${path}`) };
      const ids = await fleet.client.postBatch([
        ...Array.from({ length: 12 }, () => mixed),
        ...Array.from({ length: 4 }, () => ({ urls: [`${site.url}/private/b`] })),
      ]);
      const jobs = await fleet.client.untilAll(ids, 'completed', 'failed');
      for (const job of jobs.slice(0, 12)) {
        expect(job).toMatchObject({ status: 'completed', counts: { pages: 3, errors: 1 } });
      }
      for (const job of jobs.slice(12)) {
        expect(job).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'robots_disallowed' } });
      }
      const [, disallowed] = await fleet.client.pages(ids[0] ?? '');
      expect(disallowed).toMatchObject({ status_code: null, error: { code: 'robots_disallowed' } });
      expect(new Set(pages().map(({ path }) => path))).toEqual(new Set(['/open', '/private/open']));
      expect(visits.filter(({ path }) => path === '/robots.txt')).toHaveLength(1);
      expect(Math.max(...visits.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(2);
    } finally {
      await site.close();
    }
  });

  test('gets no requests while its robots.txt fails', async () => {
    let failing = true;
    const { site, pages } = await startLoggedSite((path, response) => {
      if (path === '/robots.txt' && failing) return void send(response, 'out of order', 503);
      send(response, path === '/robots.txt' ? 'User-agent: *\nDisallow:\n' : page(path));
    });
    try {
      const id = await fleet.client.post({ urls: [`${site.url}/a`], max_attempts: 1 });
      const job = await fleet.client.until(id, 'failed', 'completed');
      expect(job).toMatchObject({ status: 'failed', error: { code: 'robots_unreadable' } });
      expect(pages()).toEqual([]);
      failing = false;
    } finally {
      await site.close();
    }
  });
});

describe('a host with one concurrent page and a gap', () => {
  const GAP_MS = 400;
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({
      driver: 'embedded',
      workers: WORKERS,
      env: { HOST_CONCURRENCY: '1', HOST_GAP_MS: String(GAP_MS) },
    });
  });
  afterAll(() => fleet?.stop());

  test('sees pages no faster than the gap, from all workers together', async () => {
    const { site, visits, pages } = await startLoggedSite(
      (path, response) =>
        void send(response, path === '/robots.txt' ? '' : page(path), path === '/robots.txt' ? 404 : 200),
    );
    try {
      const ids = await fleet.client.postBatch(
        Array.from({ length: 16 }, (_, number) => ({ urls: [`${site.url}/page/${number}`] })),
      );
      const jobs = await fleet.client.untilAll(ids, 'completed', 'failed');
      expect(jobs.every(({ status }) => status === 'completed')).toBe(true);
      expect(jobs.every(({ attempt }) => attempt === 1)).toBe(true);
      expect(Math.max(...visits.map(({ inFlight }) => inFlight))).toBe(1);
      const arrivals = pages().map(({ arrivedAt }) => arrivedAt);
      expect(arrivals).toHaveLength(16);
      // A busy machine may send one page late and the next in time. Over six of them that is a
      // small part; without gaps they take a tenth of this.
      for (let first = 0; first + 5 < arrivals.length; first += 1) {
        const span = (arrivals[first + 5] ?? 0) - (arrivals[first] ?? 0);
        expect(span).toBeGreaterThan(5 * GAP_MS - 800);
      }
    } finally {
      await site.close();
    }
  });

  test.each(['http', 'browser'])(
    'gets no requests from any worker for the time of its Retry-After: %s',
    async (render) => {
      let refusedAt: number | null = null;
      const { site, pages } = await startLoggedSite((path, response) => {
        if (path === '/robots.txt') return void send(response, '', 404);
        if (refusedAt !== null) return void send(response, page(path));
        refusedAt = performance.now();
        send(response, 'too fast', 429, { 'retry-after': '4' });
      });
      try {
        const ids = await fleet.client.postBatch(
          Array.from({ length: 8 }, (_, number) => ({ urls: [`${site.url}/page/${number}`], render })),
        );
        await waitFor(() => refusedAt !== null, { what: 'a page to be refused' });
        const jobs = await fleet.client.untilAll(ids, 'completed', 'failed');
        expect(jobs.map(({ status, attempt }) => `${status} ${attempt}`)).toEqual(
          jobs.map(() => 'completed 1'),
        );
        const after = pages().filter(({ arrivedAt }) => arrivedAt > (refusedAt ?? 0));
        expect(after).toHaveLength(8);
        // The pause is stored in Postgres before the permit is given back, so only the resolution
        // of two clocks matters.
        expect(Math.min(...after.map(({ arrivedAt }) => arrivedAt)) - (refusedAt ?? 0)).toBeGreaterThan(3990);
      } finally {
        await site.close();
      }
    },
  );

  test('pauses its jobs, and pages that failed meanwhile elsewhere are not retried', async () => {
    let refused = false;
    const slow = await startLoggedSite((path, response) => {
      if (path === '/robots.txt' || refused) return void send(response, page(path), refused ? 200 : 404);
      refused = true;
      send(response, 'too fast', 429, { 'retry-after': '3' });
    });
    const gone = await startLoggedSite((_path, response) => void send(response, 'gone', 404));
    try {
      const id = await fleet.client.post({ urls: [`${gone.site.url}/missing`, `${slow.site.url}/page`] });
      const job = await fleet.client.until(id, 'completed', 'failed');
      expect(job).toMatchObject({ status: 'completed', attempt: 1, counts: { pages: 2, errors: 1 } });
      expect(gone.pages().map(({ path }) => path)).toEqual(['/missing']);
      expect(slow.pages()).toHaveLength(2);
    } finally {
      await Promise.all([slow.site.close(), gone.site.close()]);
    }
  });
});
