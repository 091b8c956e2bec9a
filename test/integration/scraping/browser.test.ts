import { readdirSync, readFileSync } from 'node:fs';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { openPageEngine } from '../../../scraping/engine/page-engine.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { openSite, type Site } from '../../fixtures/site/site.ts';

let site: Site;
let scraper: Scraper;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

beforeEach(() => {
  scraper = openScraper({ allow: ['127.0.0.0/8'], recycleAfterPages: 3 });
});
afterEach(() => scraper.stop());

const at = (path: string) => `${site.origin}${path}`;

/** Pids of the browser's process group, zombies not counted. */
function groupOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        // `pid (name) state parent group …`; the name may hold anything.
        const [state, , group] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(group) === pid && state !== 'Z';
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A killed process exits after a moment. */
async function groupEnded(pid: number): Promise<void> {
  const until = Date.now() + 5000;
  while (groupOf(pid).length > 0) {
    if (Date.now() > until) throw new Error(`processes ${groupOf(pid).join(', ')} still run`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const pidOf = (pool: Scraper['pool']): number => {
  if (pool.pid === undefined) throw new Error('no browser runs');
  return pool.pid;
};

const requested = async (path: string) => {
  const until = Date.now() + 5000;
  while (!site.requests.some(({ url }) => url === path)) {
    if (Date.now() > until) throw new Error(`no request for ${path}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('a browser that is killed', () => {
  it('makes its current pages retryable, and is relaunched', async () => {
    await scraper.pool.start();
    const first = pidOf(scraper.pool);
    const pages = [scraper.scrape(at('/silent?killed')), scraper.scrape(at('/silent?killed'))];
    await requested('/silent?killed');
    process.kill(first, 'SIGKILL');
    for (const { page } of await Promise.all(pages)) expect(page.error?.code).toBe('browser_crashed');
    await groupEnded(first);

    // Two concurrent pages share the new browser.
    const next = await Promise.all([scraper.scrape(at('/article.html')), scraper.scrape(at('/docs.html'))]);
    expect(next.map(({ page }) => page.error)).toEqual([null, null]);
    expect(pidOf(scraper.pool)).not.toBe(first);
    expect(scraper.logged.filter(({ event }) => event === 'browser_launched')).toHaveLength(2);
  });

  it('does not end its job: the next URL uses the new one', async () => {
    await scraper.pool.start();
    const job = openPageEngine(
      { render: 'browser' },
      {
        ...scraper.context,
        signal: new AbortController().signal,
        logger: silentLogger,
        pageTimeoutMs: 10_000,
        maxPageBytes: 10_000_000,
      },
    );
    const page = job.scrape(at('/silent?job'));
    await requested('/silent?job');
    process.kill(pidOf(scraper.pool), 'SIGKILL');
    expect((await page).page.error?.code).toBe('browser_crashed');
    expect((await job.scrape(at('/article.html'))).page.error).toBeNull();
    await job.close();
  });
});

describe('a browser that hangs', () => {
  it('is killed by stop', async () => {
    await scraper.pool.start();
    const pid = pidOf(scraper.pool);
    process.kill(-pid, 'SIGSTOP');
    await scraper.stop();
    expect(groupOf(pid)).toEqual([]);
  });
});

describe('a browser with enough pages', () => {
  it('is retired, and exits after its last job', async () => {
    await scraper.pool.start();
    const first = pidOf(scraper.pool);
    const job = openPageEngine(
      { render: 'browser', formats: ['text'] },
      {
        ...scraper.context,
        signal: new AbortController().signal,
        logger: silentLogger,
        pageTimeoutMs: 10_000,
        maxPageBytes: 10_000_000,
      },
    );
    for (let i = 0; i < 5; i++) expect((await job.scrape(at('/docs.html'))).page.error).toBeNull();
    await job.close();
    expect(pidOf(scraper.pool)).not.toBe(first);
    await groupEnded(first);
  });
});

describe('the only page of a job', () => {
  const openJob = () =>
    openPageEngine(
      { render: 'browser', formats: ['text'] },
      {
        ...scraper.context,
        signal: new AbortController().signal,
        logger: silentLogger,
        pageTimeoutMs: 10_000,
        maxPageBytes: 10_000_000,
        isOnlyPage: true,
      },
    );

  it('closes its context', async () => {
    const job = openJob();
    expect((await job.scrape(at('/set-cookie'))).page.error).toBeNull();
    const { page } = await job.scrape(at('/echo'));
    await job.close();
    expect(page.text).toContain('user-agent');
    expect(page.text).not.toContain('who=me');
  });

  it('keeps its context if the server requested a pause', async () => {
    const job = openJob();
    const { page: refused, retryAfterMs } = await job.scrape(at('/later'));
    expect([refused.status_code, retryAfterMs]).toEqual([429, 1000]);
    const { page } = await job.scrape(at('/echo'));
    await job.close();
    expect(page.text).toContain('who=me');
  });
});

describe('stop', () => {
  it('leaves no process, is idempotent, and ends current pages', async () => {
    const page = scraper.scrape(at('/silent?stop'));
    await requested('/silent?stop');
    const pid = pidOf(scraper.pool);
    expect(groupOf(pid).length).toBeGreaterThan(1);
    await Promise.all([scraper.stop(), scraper.stop()]);
    expect(groupOf(pid)).toEqual([]);
    expect((await page).page.error?.code).toBe('browser_crashed');
    expect((await scraper.scrape(at('/docs.html'))).page.error?.code).toBe('browser_crashed');
  });
});

describe('the proxy of the browser', () => {
  it('rejects requests without its credentials', async () => {
    await scraper.pool.start();
    const port = scraper.logged.find(({ event }) => event === 'egress_proxy_listening')?.fields
      .port as number;
    for (const authorization of [undefined, `Basic ${Buffer.from('user:password').toString('base64')}`]) {
      const headers = authorization ? { 'proxy-authorization': authorization } : {};
      expect(await statusOf({ port, path: at('/article.html'), headers })).toBe(407);
      expect(await statusOf({ port, method: 'CONNECT', path: `127.0.0.1:${site.port}`, headers })).toBe(407);
    }
  });

  const statusOf = (options: { port: number; method?: string; path: string; headers: OutgoingHttpHeaders }) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', agent: false, ...options });
      sent.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('connect', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end();
    });
});

it('a tab that is just being blanked loads the next page', async () => {
  const signal = new AbortController().signal;
  const scraping = openPageEngine(
    { render: 'browser' },
    { ...scraper.context, signal, pageTimeoutMs: 20_000, maxPageBytes: 1_000_000 },
  );
  const failed: string[] = [];
  // Around the moment at which an unused tab is blanked.
  for (let pauseMs = 249; pauseMs < 263; pauseMs += 1) {
    const { page } = await scraping.scrape(at('/form.html'));
    if (page.error) failed.push(`after ${pauseMs} ms: ${page.error.code}`);
    await sleep(pauseMs);
  }
  await scraping.close();
  expect(failed).toEqual([]);
});

it('a page that is being extracted while its retired browser exits is complete', async () => {
  for (let page = 0; page < 2; page++) await scraper.scrape(at('/article.html'));
  const pid = pidOf(scraper.pool);
  const { extractor } = scraper.pool;
  let reads = 0;
  Object.assign(scraper.pool, {
    extractor: {
      ...extractor,
      extract: async (...[input, signal]: Parameters<typeof extractor.extract>) => {
        reads += 1;
        await groupEnded(pid);
        return await extractor.extract(input, signal);
      },
    },
  });
  const { page } = await scraper.scrape(at('/article.html'));
  expect(reads).toBe(1);
  expect(page).toMatchObject({ error: null, markdown: expect.stringContaining('How canal locks work') });
});
