import { z } from 'zod';
import type { ClaimRequest } from '../../db/jobs/claim.ts';
import { SCRAPE_MESSAGE } from '../../dispatch/message.ts';
import type { Envelope } from '../../queue/envelope.ts';

export type ScrapeMessage =
  | { kind: 'scrape'; request: ClaimRequest }
  | { kind: 'unknown_type' }
  | { kind: 'broken'; reason: string };

/** All a worker needs of a message; the rest of its data is for people and other programs. */
const data = z.object({ job_id: z.uuid(), attempt: z.int().min(0).max(1_000_000) });

export function readScrapeMessage(envelope: Envelope): ScrapeMessage {
  if (envelope.type !== SCRAPE_MESSAGE) return { kind: 'unknown_type' };
  if (!envelope.version.startsWith('1.')) {
    return { kind: 'broken', reason: `version ${envelope.version} of ${SCRAPE_MESSAGE} is not known here` };
  }
  const parsed = data.safeParse(envelope.data);
  if (parsed.success) {
    return { kind: 'scrape', request: { id: parsed.data.job_id, attempt: parsed.data.attempt } };
  }
  const issue = parsed.error.issues[0];
  return { kind: 'broken', reason: `data.${issue?.path.join('.')}: ${issue?.message}` };
}
