import { paginate } from './paginate.ts';
import type { CallOptions, CreateOptions, Transport } from './transport.ts';
import type { Link, LinkRequest, StatsQuery } from './types.ts';

const PATH = '/api/v1/links';
const pathOf = (code: string) => `${PATH}/${encodeURIComponent(code)}`;

/** Short links, and shared results. */
export class Links {
  constructor(private readonly transport: Transport) {}

  create(link: LinkRequest, options: CreateOptions = {}): Promise<Link> {
    return this.transport.json(PATH, { ...options, method: 'POST', body: link });
  }

  /** A link that shows the results of a job to whoever has it. */
  share(jobId: string, options: CreateOptions & { expiresAt?: string } = {}): Promise<Link> {
    const { expiresAt, ...call } = options;
    return this.create({ share: true, job_id: jobId, ...(expiresAt ? { expires_at: expiresAt } : {}) }, call);
  }

  list(filter: { job_id?: string } = {}, options: CallOptions = {}): AsyncGenerator<Link, void, undefined> {
    return paginate(async (cursor) => {
      const query = { ...filter, limit: 200, cursor };
      const { links, next_cursor } = await this.transport.json<{ links: Link[]; next_cursor: string | null }>(
        PATH,
        { ...options, query },
      );
      return { items: links, next_cursor };
    });
  }

  get(code: string, options: CallOptions = {}): Promise<Link> {
    return this.transport.json(pathOf(code), options);
  }

  /** `expires_at: null` takes the expiry away. */
  update(
    code: string,
    change: { url?: string; expires_at?: string | null },
    options: CallOptions = {},
  ): Promise<Link> {
    return this.transport.json(pathOf(code), { ...options, method: 'PATCH', body: change });
  }

  delete(code: string, options: CallOptions = {}): Promise<void> {
    return this.transport.json(pathOf(code), { ...options, method: 'DELETE' });
  }

  stats(code: string, query: StatsQuery = {}, options: CallOptions = {}): Promise<Record<string, unknown>> {
    return this.transport.json(`${pathOf(code)}/stats`, { ...options, query });
  }
}
