import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { JOB_STATUSES } from '../../core/jobs/job-status.ts';
import type { ApiClient } from '../api-client.ts';
import { type JobAnswer, jobSummary, summaryOf, summaryText } from '../job-summary.ts';
import { waitForJob } from '../jobs.ts';
import { linesText, listPageLines, pageLine } from '../pages.ts';
import { addTool, jobId, READS, waitSeconds } from './tool.ts';

export function addJobTools(server: McpServer, api: ApiClient): void {
  addTool(server, {
    name: 'check_job',
    title: 'Check a job',
    description:
      'How far a job is, and the pages it has stored so far, with the numbers that read_page takes. Can wait until it has ended.',
    input: z.strictObject({
      job_id: jobId,
      wait_seconds: waitSeconds(0),
      pages_after: z.int().min(0).max(1_000_000).default(0).describe('List the pages behind this number'),
      limit: z.int().min(1).max(200).default(30).describe('Pages in the answer'),
    }),
    output: z.object({
      job: jobSummary,
      pages: z.array(pageLine),
      next_page: z.int().nullable().describe('The next pages_after, null if these are all so far'),
    }),
    annotations: READS,
    run: async ({ job_id, wait_seconds, pages_after, limit }, call) => {
      const job = summaryOf(await waitForJob(api, job_id, wait_seconds, call));
      const { pages, next } = await listPageLines(api, job_id, pages_after, limit);
      const { leads } = job.counts;
      const text = [
        summaryText(job),
        ...(leads > 0 ? [`get_leads with job_id ${job_id} has its ${leads} leads.`] : []),
        ...(leads > 0 && pages.length === 0 ? [] : [linesText(job_id, pages, next)]),
      ].join('\n');
      return { text, structured: { job, pages, next_page: next } };
    },
  });

  addTool(server, {
    name: 'list_jobs',
    title: 'List jobs',
    description: 'Your jobs, newest first.',
    input: z.strictObject({
      status: z.array(z.enum(JOB_STATUSES)).max(JOB_STATUSES.length).optional(),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().max(500).optional().describe('next_cursor of the answer before'),
    }),
    output: z.object({ jobs: z.array(jobSummary), next_cursor: z.string().nullable() }),
    annotations: READS,
    run: async ({ status, limit, cursor }) => {
      const { jobs, next_cursor } = await api.get<{ jobs: JobAnswer[]; next_cursor: string | null }>(
        '/jobs',
        {
          fields: 'job_id,status,progress,counts,error,created_at,finished_at',
          ...{ status: status?.join(',') || undefined, limit, cursor },
        },
      );
      const summaries = jobs.map(summaryOf);
      const lines = summaries.map(
        ({ job_id, status, counts, created_at }) =>
          `${job_id} ${status}, ${counts.pages} pages, ${counts.leads} leads, created ${created_at}`,
      );
      const more = next_cursor === null ? [] : [`More: list_jobs with cursor ${next_cursor}.`];
      return {
        text: [...(lines.length > 0 ? lines : ['There are no such jobs.']), ...more].join('\n'),
        structured: { jobs: summaries, next_cursor },
      };
    },
  });

  addTool(server, {
    name: 'cancel_job',
    title: 'Cancel a job',
    description: 'Cancels a job that has not ended. What it has stored stays.',
    input: z.strictObject({ job_id: jobId }),
    output: z.object({ job: jobSummary }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    run: async ({ job_id }) => {
      const job = summaryOf(await api.post<JobAnswer>(`/jobs/${job_id}/cancel`));
      return { text: summaryText(job), structured: { job } };
    },
  });
}
