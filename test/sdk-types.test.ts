import { expect, test } from '@jest/globals';
import type { z } from 'zod';
import type { Job as ServerJob } from '../core/jobs/job.ts';
import type { mapRequest, pageRequest, scrapeRequest } from '../core/jobs/job-schemas.ts';
import type { Page as ServerPage } from '../core/jobs/page.ts';
import type { Contacts as ServerContacts, Lead as ServerLead } from '../core/leads/lead.ts';
import type { LeadFilters as ServerFilters } from '../core/leads/lead-filters.ts';
import type { Link as ServerLink } from '../db/links/links.ts';
import type { Webhook as ServerWebhook } from '../db/notifications/webhooks.ts';
import type * as sdk from '../sdk/src/index.ts';

/**
 * The types of the SDK are those of the server: a field that is added, renamed or of another type on
 * one side alone does not compile here (`npm run check`).
 */

/** As JSON has it. */
type Sent<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Sent<Item>[]
    : T extends object
      ? { [Name in keyof T]: Sent<T[Name]> }
      : T;

/** Each can stand for the other, and both have the same fields. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? SameFields<A, B> : 'B is not A') : 'A is not B';
type SameFields<A, B> = [keyof A] extends [keyof B]
  ? [keyof B] extends [keyof A]
    ? true
    : 'B has more'
  : 'A has more';

type Request = z.infer<typeof scrapeRequest>;

const same = {
  request: true satisfies Same<Omit<sdk.JobRequest, 'filters'>, Omit<Request, 'filters'>>,
  page_request: true satisfies Same<sdk.PageFields, Omit<z.infer<typeof pageRequest>, 'url'>>,
  filters: true satisfies Same<sdk.LeadFilters, ServerFilters>,
  map: true satisfies Same<Required<sdk.MapRequest>, Required<Omit<z.infer<typeof mapRequest>, 'url'>>>,
  job: true satisfies Same<Omit<sdk.Job, 'spec'>, Sent<Omit<ServerJob, 'spec'>>>,
  page: true satisfies Same<Omit<sdk.Page, 'contacts'>, Omit<ServerPage, 'contacts'>>,
  contacts: true satisfies Same<Omit<sdk.Contacts, Kinds>, Omit<ServerContacts, Kinds>>,
  lead: true satisfies Same<Omit<sdk.Lead, Kinds>, Omit<ServerLead, Kinds>>,
  link: true satisfies Same<
    Omit<sdk.Link, 'link_id' | 'short_url' | 'preview_url'>,
    Omit<Sent<ServerLink>, 'id'>
  >,
  webhook: true satisfies Same<sdk.Webhook, Sent<ServerWebhook>>,
};
/** The server knows which kinds there are; a client must bear further ones. */
type Kinds = 'email_kinds' | 'phone_kinds';

test('the types of the SDK are those of the server', () => {
  expect(Object.values(same).every(Boolean)).toBe(true);
});
