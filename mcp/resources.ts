import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Variables } from '@modelcontextprotocol/sdk/shared/uriTemplate.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { type ApiClient, ApiError } from './api-client.ts';
import type { JobAnswer } from './job-summary.ts';
import { listPageLines, MOST_CHARACTERS, partText, readPart } from './pages.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PAGES = 'leadengine://jobs/{job_id}/pages/{page}';

/** Pages by address, for clients that let a person attach them. */
export function addResources(server: McpServer, api: ApiClient): void {
  server.registerResource(
    'page',
    new ResourceTemplate(PAGES, { list: async () => ({ resources: await newestPages(api) }) }),
    {
      title: 'Page of a job',
      description: `The main content of a stored page, up to ${MOST_CHARACTERS} characters of it`,
      mimeType: 'text/markdown',
    },
    async (uri, variables) => {
      const { jobId, page } = addressOf(uri, variables);
      const whole = { format: 'markdown', offset: 0, limit: MOST_CHARACTERS } as const;
      const part = await asProtocolError(() => readPart(api, jobId, page, whole));
      return { contents: [{ uri: uri.href, mimeType: 'text/markdown', text: partText(jobId, part) }] };
    },
  );
}

/** Of the newest job that has pages: a list of all would be endless. */
async function newestPages(api: ApiClient) {
  const query = { status: 'completed', limit: 10, fields: 'job_id,counts' };
  const { jobs } = await asProtocolError(() => api.get<{ jobs: JobAnswer[] }>('/jobs', query));
  const newest = jobs.find(({ counts }) => counts.pages > 0);
  if (!newest) return [];
  const { pages } = await asProtocolError(() => listPageLines(api, newest.job_id, 0, 50));
  return pages.map(({ page, url, title }) => ({
    uri: `leadengine://jobs/${newest.job_id}/pages/${page}`,
    name: title ?? url,
    description: url,
    mimeType: 'text/markdown',
  }));
}

function addressOf(uri: URL, { job_id, page }: Variables): { jobId: string; page: number } {
  if (!UUID.test(String(job_id)) || !/^[1-9]\d{0,6}$/.test(String(page))) {
    throw new McpError(ErrorCode.InvalidParams, `expected ${PAGES}, got ${uri.href.slice(0, 200)}`);
  }
  return { jobId: String(job_id), page: Number(page) };
}

/** Resources have no results with errors, as tools have. */
async function asProtocolError<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof ApiError ? new McpError(ErrorCode.InvalidParams, error.message) : error;
  }
}
