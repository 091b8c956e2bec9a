import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { jobSummary, summaryOf, summaryText } from '../job-summary.ts';
import { MOST_SECONDS, runJob } from '../jobs.ts';
import { linesText, listPageLines, pageLine } from '../pages.ts';
import { oneLine, quoteUntrusted } from '../untrusted.ts';
import { addTool, LOADS, waitSeconds } from './tool.ts';

const globs = z.array(z.string().max(1000)).max(100).optional();
const scope = {
  include: globs.describe('Globs that an address must match, such as /docs/**'),
  exclude: globs.describe('Globs of addresses to leave out'),
};

/** Pages in the first answer of a crawl. */
const FIRST_PAGES = 30;

export function addSiteTools(server: McpServer, api: ApiClient): void {
  addTool(server, {
    name: 'crawl',
    title: 'Crawl a web site',
    description:
      'Starts a crawl from an address and answers with its job and the pages stored so far. The crawl goes on after the answer: check_job lists more pages, read_page reads one.',
    input: z.strictObject({
      url: z.string().max(8192).describe('http or https address to begin at'),
      max_pages: z.int().min(1).max(100_000).default(25),
      max_depth: z.int().min(0).max(100).optional().describe('Links to follow from the first page'),
      ...scope,
      main_content: z.boolean().default(true).describe('false: whole pages, with menus and footers'),
      wait_seconds: waitSeconds(20),
    }),
    output: z.object({
      job: jobSummary,
      pages: z.array(pageLine),
      next_page: z.int().nullable().describe('pages_after for check_job, null if these are all so far'),
    }),
    annotations: LOADS,
    run: async ({ url, max_pages, max_depth, include, exclude, main_content, wait_seconds }, call) => {
      const crawl = { max_pages, max_depth, include, exclude };
      const spec = { urls: [url], crawl, main_content };
      const job = summaryOf(await runJob(api, spec, wait_seconds, call));
      const { pages, next } = await listPageLines(api, job.job_id, 0, FIRST_PAGES);
      return {
        text: `${summaryText(job)}\n${linesText(job.job_id, pages, next)}`,
        structured: { job, pages, next_page: next },
      };
    },
  });

  addTool(server, {
    name: 'map',
    title: 'List the addresses of a site',
    description: `Lists what addresses a site has, from its sitemaps and links, without storing its pages. Waits up to ${MOST_SECONDS} seconds.`,
    input: z.strictObject({
      url: z.string().max(8192).describe('http or https address of the site'),
      search: z.string().max(500).optional().describe('Words that an address or its title must contain'),
      ...scope,
      limit: z.int().min(1).max(1000).default(100).describe('Addresses in the answer'),
    }),
    output: z.object({
      job_id: z.string(),
      urls: z.array(z.object({ url: z.string(), title: z.string().optional() })),
      incomplete: z.boolean().describe('The site has more addresses, or was not read to its end'),
    }),
    annotations: LOADS,
    run: async (args, call) => {
      const { job_id, urls = [], incomplete = true } = await api.post<Map>('/jobs/map', args, call.signal);
      const found = urls.map(({ url, title }) => ({ url, ...(title ? { title: oneLine(title, 200) } : {}) }));
      const list = found.map(({ url, title }) => (title ? `${url} (${title})` : url)).join('\n');
      const more = incomplete ? '\nThere may be more: raise limit, or narrow it by search or include.' : '';
      return {
        text: `${found.length} addresses.${more}\n${quoteUntrusted(args.url, list)}`,
        structured: { job_id, urls: found, incomplete },
      };
    },
  });
}

/** The answer of `POST /jobs/map`; after its time it has the job alone. */
interface Map {
  job_id: string;
  urls?: { url: string; title?: string }[];
  incomplete?: boolean;
}
