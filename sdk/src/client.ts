import { ApiError, JobError, LeadEngineError, PageError } from './errors.ts';
import { type EventOptions, liveEvents } from './events.ts';
import { isFinal, JobRun, type RunSource } from './job-run.ts';
import { Links } from './links.ts';
import { type ClientOptions, transportOptions } from './options.ts';
import { type Part, paginate } from './paginate.ts';
import { type CallOptions, type CreateOptions, type Request, randomKey, Transport } from './transport.ts';
import type * as api from './types.ts';
import { Webhooks } from './webhooks.ts';

/** Fields of a job about one page, and of the call. */
export type ScrapeOptions = api.PageFields & CreateOptions;

export interface RunOptions extends CreateOptions {
  /** The job goes on when its iteration is left. */
  keepRunning?: boolean;
}
/** Fields of a job and of `crawl`, and of the call. */
export type CrawlOptions = api.PageFields & Pick<api.JobRequest, 'run_at'> & api.CrawlRules & RunOptions;
export type LeadOptions = Omit<api.JobRequest, 'crawl'> & RunOptions;

const JOBS = '/api/v1/jobs';
const jobPath = (id: string) => `${JOBS}/${encodeURIComponent(id)}`;

/** One LeadEngine server, with one user's key. Safe to share; holds no connection of its own. */
export class LeadEngine {
  readonly links: Links;
  readonly webhooks: Webhooks;
  readonly #transport: Transport;

  /** @throws LeadEngineError `invalid_url` if `url` is none */
  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(transportOptions(options));
    this.links = new Links(this.#transport);
    this.webhooks = new Webhooks(this.#transport);
  }

  /** Where the server is. */
  get url(): string {
    return this.#transport.options.url;
  }

  /**
   * Loads one page and answers with it.
   *
   * @throws PageError if it could not be loaded or came with an HTTP error status; its `page` has
   *   what there is
   */
  async scrape(url: string, options: ScrapeOptions = {}): Promise<api.Page> {
    const [{ idempotencyKey = randomKey(), ...call }, fields] = splitCall(options);
    const timeoutMs = (call.timeoutMs ?? this.#transport.options.timeoutMs) + SCRAPE_WAIT_SECONDS * 1000;
    type Answer = api.AcceptedJob & { page?: api.Page };
    const post = (wait: number, more: CallOptions) =>
      this.#transport.json<Answer>('/api/v1/scrape', {
        ...{ ...more, idempotencyKey, method: 'POST', query: { wait }, body: { ...fields, url } },
      });
    try {
      const answer = await post(SCRAPE_WAIT_SECONDS, { ...call, timeoutMs });
      const page = answer.page ?? (await this.#pageOf(answer.job_id, call));
      if (page.error) throw new PageError(page);
      return page;
    } catch (error) {
      if (call.signal?.aborted) {
        // The key finds the job, whatever became of the answer.
        await post(0, {})
          .then(({ job_id: id }) => this.cancel(id))
          .catch(() => {});
      } else if (error instanceof ApiError && error.jobId !== null) {
        throw new PageError(await this.#pageOf(error.jobId, call));
      }
      throw error;
    }
  }

  /** Walks a site: iterate for its pages while they come. */
  crawl(url: string, options: CrawlOptions = {}): JobRun<api.Page> {
    const [call, fields] = splitCall(options);
    const { max_pages, max_depth, include, exclude, same_origin, ...others } = fields;
    const crawl = { max_pages, max_depth, include, exclude, same_origin };
    return this.#runPages(this.submit({ ...others, urls: [url], crawl }, call), call);
  }

  /**
   * Searches for businesses: iterate for leads while they are found.
   *
   * @param query `joiners in Leeds` is an industry and a place; other text is searched as it is.
   *   Fields of a job say it exactly
   */
  leads(query: string | LeadOptions, options: LeadOptions = {}): JobRun<api.Lead> {
    const described = typeof query === 'string' ? leadQuery(query) : query;
    const [call, fields] = splitCall({ ...described, ...options });
    return this.#runLeads(this.submit(fields, call), call);
  }

  /** Pages of a job that was accepted before: from the first on, and on while it runs. */
  followPages(id: string, options: RunOptions = {}): JobRun<api.Page> {
    return this.#runPages(this.job(id, { signal: options.signal }), options);
  }

  /** The same for leads. */
  followLeads(id: string, options: RunOptions = {}): JobRun<api.Lead> {
    return this.#runLeads(this.job(id, { signal: options.signal }), options);
  }

  /** The addresses of a site, without loading all of its pages. */
  async map(url: string, options: api.MapRequest & CreateOptions = {}): Promise<api.SiteMap> {
    const [call, fields] = splitCall(options);
    const answer = await this.#transport.json<api.SiteMap | api.AcceptedJob>(`${JOBS}/map`, {
      ...{ timeoutMs: LONG_ANSWER_MS, ...call, method: 'POST', body: { ...fields, url } },
    });
    if ('urls' in answer) return answer;
    const job = await this.#untilFinal(answer.job_id, call.signal);
    if (job.status !== 'completed') throw new JobError(job);
    const urls: api.SiteUrl[] = [];
    for await (const found of this.urlsOf(job.job_id, call)) urls.push(found);
    const { message } = job.progress;
    return { job_id: job.job_id, urls, total: urls.length, incomplete: true, message };
  }

  /** Accepts a job and answers at once. */
  submit(job: api.JobRequest, options: CreateOptions = {}): Promise<api.AcceptedJob> {
    return this.#transport.json(`${JOBS}/scrape`, { ...options, method: 'POST', body: job });
  }

  /** Up to 1,000 jobs, all or none, in this order. */
  async submitBatch(
    jobs: readonly api.JobRequest[],
    options: CreateOptions = {},
  ): Promise<Pick<api.AcceptedJob, 'job_id' | 'status'>[]> {
    const request = { ...options, method: 'POST' as const, body: { jobs } };
    return (await this.#transport.json<{ jobs: api.AcceptedJob[] }>(`${JOBS}/batch`, request)).jobs;
  }

  /** @param options `wait`: answers when the job has ended, after this many seconds (60) at most */
  job(id: string, options: CallOptions & { wait?: number } = {}): Promise<api.Job> {
    return this.#job(id, options, false);
  }

  /** Your jobs, newest first. */
  jobs(filter: api.JobFilter = {}, call: CallOptions = {}): AsyncGenerator<api.Job, void, undefined> {
    return this.#list<api.Job>(JOBS, 'jobs', { ...filter, limit: 200 }, call);
  }

  /**
   * The job when it has ended.
   *
   * @param options `timeoutMs` is for the whole wait; none by default
   * @throws JobError if it failed or was cancelled; ConnectionError `timeout`
   */
  async waitFor(id: string, { signal, timeoutMs }: CallOptions = {}): Promise<api.Job> {
    const job = await this.#untilFinal(id, signal, timeoutMs);
    if (job.status !== 'completed') throw new JobError(job);
    return job;
  }

  /** Cancels it, also while it runs; what it found stays. @throws ApiError `job_state_conflict` */
  cancel(id: string, call: CallOptions = {}): Promise<api.Job> {
    return this.#transport.json(`${jobPath(id)}/cancel`, { ...call, method: 'POST', isSafe: true });
  }

  /** Cancels all that match and have not ended. At least one field. */
  cancelAll(
    filter: api.JobFilter,
    call: CallOptions = {},
  ): Promise<{ cancelled: number; job_ids: string[] }> {
    const request = { ...call, method: 'POST' as const, body: filter, isSafe: true };
    return this.#transport.json(`${JOBS}/cancel`, request);
  }

  /** Runs a failed or cancelled job again. */
  retry(id: string, call: CallOptions = {}): Promise<api.Job> {
    return this.#transport.json(`${jobPath(id)}/retry`, { ...call, method: 'POST' });
  }

  /** Stored pages of a job, in the order of the request or crawl. */
  pagesOf(id: string, call: CallOptions = {}): AsyncGenerator<api.Page, void, undefined> {
    return paginate((cursor) => this.#pages(id, { cursor }, call));
  }

  /** Stored leads of a job, in the order found. */
  leadsOf(id: string, call: CallOptions = {}): AsyncGenerator<api.Lead, void, undefined> {
    return paginate((cursor) => this.#leads(id, { cursor }, call));
  }

  /** Addresses that a crawl or map knows so far. */
  urlsOf(id: string, call: CallOptions = {}): AsyncGenerator<api.SiteUrl, void, undefined> {
    return this.#list<api.SiteUrl>(`${jobPath(id)}/urls`, 'urls', { limit: 10_000 }, call);
  }

  /** The businesses of all your jobs, each once. */
  allLeads(
    search: api.LeadSearch = {},
    call: CallOptions = {},
  ): AsyncGenerator<api.KnownLead, void, undefined> {
    return this.#list<api.KnownLead>('/api/v1/leads', 'leads', { ...search, limit: 500 }, call);
  }

  /** Leads of a job as a file, streamed. */
  exportLeads(id: string, format: 'csv' | 'xlsx' | 'ndjson', call: CallOptions = {}): Promise<Response> {
    return this.#transport.open(`${jobPath(id)}/leads`, { ...call, query: { format } });
  }

  /** A screenshot or PDF, by the path that a page names. */
  async download(path: string, call: CallOptions = {}): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#transport.open(path, call)).arrayBuffer());
  }

  /** Live events of a job until it ends, or without an id all of yours, without an end. */
  events(jobId?: string, options: EventOptions = {}): AsyncGenerator<api.LiveEvent, void, undefined> {
    return liveEvents(this.#transport, jobId, options);
  }

  /** What waits and runs. */
  queue(call: CallOptions = {}): Promise<api.QueueState> {
    return this.#transport.json('/api/v1/queue', call);
  }

  stats(query: api.StatsQuery = {}, call: CallOptions = {}): Promise<api.Stats> {
    return this.#transport.json('/api/v1/stats', { ...call, query });
  }

  /** Any other call, with the same key, repetitions and errors: the JSON of its answer. */
  request<T = unknown>(path: string, request: Request = {}): Promise<T> {
    return this.#transport.json<T>(path, request);
  }

  #job(id: string, { wait, ...call }: CallOptions & { wait?: number }, patient: boolean): Promise<api.Job> {
    const timeoutMs = (call.timeoutMs ?? this.#transport.options.timeoutMs) + (wait ?? 0) * 1000;
    return this.#transport.json(jobPath(id), { ...call, timeoutMs, query: { wait }, patient });
  }

  /** The only page of a job, when that has ended. @throws JobError if there is none */
  async #pageOf(id: string, call: CallOptions): Promise<api.Page> {
    const job = await this.#untilFinal(id, call.signal);
    const [page] = (await this.#pages(id, undefined, call)).items;
    if (!page) throw new JobError(job);
    return page;
  }

  #runPages(accepted: Promise<api.AcceptedJob>, options: RunOptions): JobRun<api.Page> {
    return this.#run<api.Page>(accepted, options, {
      follow: (id, cursor) => this.#pages(id, { follow: true, cursor }),
      list: (id, cursor) => this.#pages(id, { cursor }),
      keyOf: (page) => page.url,
      isProvisional: (page) => page.error !== null,
      countOf: (job) => job.counts.pages,
    });
  }

  #runLeads(accepted: Promise<api.AcceptedJob>, options: RunOptions): JobRun<api.Lead> {
    return this.#run<api.Lead>(accepted, options, {
      follow: (id, cursor) => this.#leads(id, { follow: true, cursor }),
      list: (id, cursor) => this.#leads(id, { cursor }),
      keyOf: (lead) => lead.domain ?? JSON.stringify([lead.company, lead.phones, lead.addresses]),
      isProvisional: () => false,
      countOf: (job) => job.counts.leads,
    });
  }

  #run<T>(
    accepted: Promise<api.AcceptedJob>,
    { signal, keepRunning = false }: RunOptions,
    results: Pick<RunSource<T>, 'follow' | 'list' | 'keyOf' | 'isProvisional' | 'countOf'>,
  ): JobRun<T> {
    return new JobRun<T>({
      ...{ ...results, accepted, signal, keepRunning },
      job: (id, wait) => this.#job(id, { signal, ...(wait > 0 ? { wait } : {}) }, true),
      // Also after the signal, which is why it does not take it.
      cancel: (id) => this.cancel(id),
    });
  }

  async #pages(id: string, query?: object, call: CallOptions = {}): Promise<Part<api.Page>> {
    const request = { ...{ signal: call.signal, timeoutMs: call.timeoutMs }, query, patient: true };
    type Answer = { pages: api.Page[]; next_cursor: string | null };
    const { pages, next_cursor } = await this.#transport.json<Answer>(`${jobPath(id)}/pages`, request);
    return { items: pages, next_cursor };
  }

  async #leads(id: string, query?: object, call: CallOptions = {}): Promise<Part<api.Lead>> {
    type Answer = { leads: api.Lead[]; next_cursor: string | null };
    const request = { ...call, query, patient: true };
    const { leads, next_cursor } = await this.#transport.json<Answer>(`${jobPath(id)}/leads`, request);
    return { items: leads, next_cursor };
  }

  #list<T>(path: string, name: string, query: object, call: CallOptions): AsyncGenerator<T, void, undefined> {
    return paginate(async (cursor) => {
      const request = { ...call, query: { ...query, cursor } };
      const answer = await this.#transport.json<Record<string, unknown>>(path, request);
      return { items: answer[name] as T[], next_cursor: answer.next_cursor as string | null };
    });
  }

  async #untilFinal(
    id: string,
    signal?: AbortSignal,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<api.Job> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const left = until - Date.now();
      const wait = Math.max(0, Math.min(LONG_POLL_SECONDS, Math.ceil(left / 1000)));
      const job = await this.#job(id, { signal, wait }, true);
      if (isFinal(job)) return job;
      if (left <= 0) {
        throw new LeadEngineError('timeout', `job ${id} is ${job.status} after ${timeoutMs} ms`);
      }
    }
  }
}

/** Then the job is waited for by its id. */
const SCRAPE_WAIT_SECONDS = 25;
/** Some proxies close a connection after thirty seconds without an answer. */
const LONG_POLL_SECONDS = 25;
/** A map is answered within 50 seconds. */
const LONG_ANSWER_MS = 90_000;

/** Separates what is for this client from the fields of the request. */
function splitCall<T extends RunOptions>(options: T): [RunOptions, Omit<T, keyof RunOptions>] {
  const { signal, timeoutMs, idempotencyKey, keepRunning, ...fields } = options;
  return [
    {
      signal,
      timeoutMs,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(keepRunning === undefined ? {} : { keepRunning }),
    },
    fields,
  ];
}

/** `joiners in Leeds`: an industry and a place, which more sources can use than a text. */
function leadQuery(text: string): api.JobRequest {
  const [, industry, geography] = /^\s*(\S.*?)\s+(?:in|near|around)\s+(\S.*?)\s*$/i.exec(text) ?? [];
  return industry && geography ? { industry, geography } : { search_query: text };
}
