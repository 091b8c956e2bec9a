import type { AcceptedJob } from '../../db/jobs/accept.ts';
import { type ApiResponse, sendJson } from '../http/route.ts';

/** The parts of a job that its links lead to. */
export const JOB_PARTS = ['pages', 'leads', 'events'] as const;

const pathOf = ({ id }: AcceptedJob): string => `/api/v1/jobs/${id}`;

/** Links to a job and these of its parts. */
export function linksOf(job: AcceptedJob, parts: readonly string[]): Record<string, string> {
  const self = pathOf(job);
  return { self, ...Object.fromEntries(parts.map((part) => [part, `${self}/${part}`])) };
}

/** Sends 202 with links to the job and these of its parts. */
export function sendAccepted(response: ApiResponse, job: AcceptedJob, parts: readonly string[]): void {
  const { body, location } = acceptedAnswer(job, parts);
  sendJson(response, 202, body, { location });
}

export function acceptedAnswer(job: AcceptedJob, parts: readonly string[]) {
  const { id, status, createdAt } = job;
  const body = { job_id: id, status, created_at: createdAt, links: linksOf(job, parts) };
  return { body, location: pathOf(job) };
}
