import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, startOurs, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { API_KEY } from '../job.ts';
import { createScratch } from '../scratch.ts';

const PART = 'event_loop';
const MOST_MS = 200;
/** A job that waits for a site that asks for pauses has been read by then. */
const END_MS = 15_000;
const FORMATS = ['markdown', 'html', 'text', 'links', 'metadata', 'contacts'];

/** A hostile input, and how long it delayed the event loop at most. */
interface Delayed {
  name: string;
  ms: number;
}

/**
 * The longest delays of the event loops of API and worker under hostile inputs: a process that does
 * not answer is one that is not there. Each input alone, on an idle installation.
 */
export async function measureEventLoop(bench: Bench): Promise<void> {
  const scratch = await createScratch(bench.services);
  await withChildren(async (keep) => {
    const monitored = (program: string, env = {}) =>
      startOurs(bench, {
        ...{ program, driver: 'embedded', databaseUrl: scratch.url },
        env: { ...env, EGRESS_ALLOW: '127.0.0.0/8', HOST_GAP_MS: '0' },
        execArgv: ['--import', new URL('../processes/event-loop-delay.js', import.meta.url).href],
      });
    const api = await keep(monitored('api/main.js'));
    const worker = await keep(monitored('workers/scraper/main.js'));
    const site = await keep(
      startOurs(bench, { program: 'bench/processes/hostile-site.js', driver: 'embedded', databaseUrl: '' }),
    );
    const inputs = await site.call<{ name: string; url: string; as: string }[]>('inputs');
    const ask = callerOf(api);
    // Both have compiled their code once.
    const [first] = inputs.filter(({ as }) => as === 'page');
    for (const render of ['http', 'browser']) await ask.run({ urls: [first?.url], render, formats: FORMATS });

    const maps = await each(
      api,
      inputs.filter(({ as }) => as !== 'page'),
      ({ url }) => ask.post('/api/v1/jobs/map', JSON.stringify({ url })),
    );
    const chosen = bench.options.quick ? inputs.filter((_, at) => at % 5 === 0) : inputs;
    const http = await each(worker, chosen, ({ url, as }) =>
      as === 'page'
        ? ask.run({ urls: [url], render: 'http', formats: FORMATS })
        : ask.run({ urls: [url], render: 'http', crawl: { max_pages: 2 } }),
    );
    const browser = await each(
      worker,
      chosen.filter(({ as }) => as === 'page'),
      ({ url }) => ask.run({ urls: [url], render: 'browser', formats: FORMATS }),
    );
    // Last, and without a worker: some of the bodies are accepted.
    await worker.stop();
    await sleep(2000);
    const bodies = await each(api, BODIES, ({ body }) => ask.post('/api/v1/jobs/batch', body));
    for (const [name, delays] of Object.entries({
      'API, bodies of batches': bodies,
      'API, maps of sites with hostile robots.txt and sitemaps': maps,
      'worker, pages, files, robots.txt and sitemaps by HTTP': http,
      'worker, pages and files in the browser': browser,
    })) {
      const [worst, ...others] = delays.sort((a, b) => b.ms - a.ms);
      const next = others.slice(0, 2).map((other) => `${other.name} ${other.ms.toFixed(0)}`);
      const note = `${delays.length} inputs; ${[worst?.name, ...next].join(', ')}`;
      const target = { of: 'value', atMost: MOST_MS } as const;
      bench.report.add({ part: PART, name, value: worst?.ms ?? Number.NaN, unit: 'ms', note, target });
    }
  });
  await scratch.drop();
}

async function each<Input extends { name: string }>(
  child: Child,
  inputs: readonly Input[],
  send: (input: Input) => Promise<void>,
): Promise<Delayed[]> {
  const delays: Delayed[] = [];
  for (const input of inputs) {
    await child.call('event_loop_delay');
    await send(input);
    delays.push({ name: input.name, ms: await child.call<number>('event_loop_delay') });
  }
  return delays;
}

function callerOf({ ready: { url } }: Child) {
  const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
  const post = async (path: string, body: string): Promise<string> => {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status === 404 || response.status >= 500)
      throw new Error(`${path} was answered ${response.status}: ${text}`);
    return text;
  };
  return {
    post: async (path: string, body: string): Promise<void> => void (await post(path, body)),
    /** A job to its end, whatever it is. */
    run: async (spec: object): Promise<void> => {
      const { job_id: id } = JSON.parse(await post('/jobs/scrape', JSON.stringify(spec))) as {
        job_id: string;
      };
      for (const end = Date.now() + END_MS; Date.now() < end; await sleep(100)) {
        const response = await fetch(`${url}/api/v1/jobs/${id}`, { headers });
        const { status } = (await response.json()) as { status: string };
        if (['completed', 'failed', 'cancelled'].includes(status)) return;
      }
      await post(`/api/v1/jobs/${id}/cancel`, '{}');
    },
  };
}

const times = (count: number, make: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => make(at)).join();
const longUrls = times(190, (at) => `"https://example.com/${'x'.repeat(20)}/${at}"`);

/** Of up to ten megabytes, the most that is read. */
const BODIES: { name: string; body: string }[] = [
  { name: 'five million zeros as jobs', body: `{"jobs":[${times(4_900_000, () => '0')}]}` },
  { name: 'five million zeros as URLs', body: `{"jobs":[{"urls":[${times(4_800_000, () => '0')}]}]}` },
  { name: 'many keys', body: `{"jobs":[{"metadata":{${times(600_000, (at) => `"k${at}":1`)}}}]}` },
  { name: 'escapes', body: `{"jobs":["${'\\u00e9'.repeat(1_600_000)}"]}` },
  { name: 'deep nesting', body: `{"jobs":${'['.repeat(4_900_000)}` },
  {
    name: 'a thousand jobs with wrong URLs',
    body: `{"jobs":[${times(1000, () => `{"urls":[${times(1000, () => '0')}]}`)}]}`,
  },
  {
    name: 'a hundred jobs with many wrong fields',
    body: `{"jobs":[${times(100, () => `{"metadata":{${times(6000, (at) => `"k${at}":1`)}},"urls":["a"]}`)}]}`,
  },
  {
    name: 'a hundred jobs with many headers',
    body: `{"jobs":[${times(100, () => `{"headers":{${times(6000, (at) => `"k${at}":""`)}},"urls":["https://example.com/"]}`)}]}`,
  },
  {
    name: 'a thousand jobs with 190 URLs',
    body: `{"jobs":[${times(1000, () => `{"urls":[${longUrls}]}`)}]}`,
  },
  {
    name: 'broken at its end',
    body: `{"jobs":[${times(100_000, (at) => `{"urls":["https://example.com/${at}"]}`)}`,
  },
];
