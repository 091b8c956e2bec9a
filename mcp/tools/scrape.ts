import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { jobSummary, summaryOf, summaryText } from '../job-summary.ts';
import { runJob } from '../jobs.ts';
import { limitOfCharacters, pagePart, partText, READABLE, readPart } from '../pages.ts';
import { addTool, jobId, LOADS, READS, waitSeconds } from './tool.ts';

export function addPageTools(server: McpServer, api: ApiClient): void {
  addTool(server, {
    name: 'scrape',
    title: 'Read a web page',
    description:
      'Loads one page, by plain HTTP or in a browser, and answers with its main content as markdown. Long pages come in parts: read_page has the rest.',
    input: z.strictObject({
      url: z.string().max(8192).describe('http or https address'),
      format: z.enum(READABLE).default('markdown').describe('What of the page to answer'),
      main_content: z.boolean().default(true).describe('false: the whole page, with menus and footers'),
      render: z
        .enum(['auto', 'http', 'browser'])
        .default('auto')
        .describe('auto uses a browser if the page needs one'),
      max_characters: limitOfCharacters,
      wait_seconds: waitSeconds(45),
    }),
    output: z.object({ job: jobSummary, page: pagePart.nullable().describe('null: not loaded yet') }),
    annotations: LOADS,
    run: async ({ url, format, main_content, render, max_characters, wait_seconds }, call) => {
      const formats = [...new Set(['markdown', 'links', 'metadata', format])];
      const spec = { ...FIRST, urls: [url], formats: formats.filter(isFormat), main_content, render };
      const job = summaryOf(await runJob(api, spec, wait_seconds, call));
      if (job.counts.pages === 0) return { text: summaryText(job), structured: { job, page: null } };
      const page = await readPart(api, job.job_id, 1, { format, offset: 0, limit: max_characters });
      return { text: partText(job.job_id, page), structured: { job, page } };
    },
  });

  addTool(server, {
    name: 'read_page',
    title: 'Read a part of a stored page',
    description:
      'Reads a page of a scrape or crawl in parts that end at the borders of paragraphs. next_offset of the answer is the offset of the next part.',
    input: z.strictObject({
      job_id: jobId,
      page: z.int().min(1).max(1_000_000).default(1).describe('Number of the page, as check_job lists it'),
      offset: z.int().min(0).max(1_000_000_000).default(0).describe('Character to begin at'),
      limit: limitOfCharacters,
      format: z.enum(READABLE).default('markdown'),
    }),
    output: pagePart,
    annotations: READS,
    run: async ({ job_id, page, ...part }) => {
      const read = await readPart(api, job_id, page, part);
      return { text: partText(job_id, read), structured: read };
    },
  });
}

/** Of equal jobs, those whose client waits are first. */
const FIRST = { priority: 9 };

/** `extracted` is the result of `extract`, not a format to ask for. */
const isFormat = (format: string): boolean => format !== 'extracted';
