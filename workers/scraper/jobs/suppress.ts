import type { ClaimedJob } from '../../../core/jobs/job.ts';
import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import { namedIn } from '../../../core/suppressions/contacts.ts';
import { eraseFromContacts, eraseFromLead } from '../../../core/suppressions/erase.ts';
import { domainIdentity, domainsAbove } from '../../../core/suppressions/identity.ts';
import type { Sql } from '../../../db/connect.ts';
import { findSuppressed } from '../../../db/suppressions/suppressions.ts';

// What users had erased is not stored again: it is looked up right before contacts are stored.

type Job = Pick<ClaimedJob, 'userId'>;

/** Null if the business itself is suppressed. */
export async function suppressInLead<L extends Lead>(sql: Sql, job: Job, lead: L): Promise<L | null> {
  const { identities, erasedBy } = namedIn(lead, lead.domain ?? lead.website);
  const suppressed = await findSuppressed(sql, job.userId, identities);
  return suppressed.length === 0 ? lead : (eraseFromLead(lead, erasedBy(suppressed)) as L | null);
}

/** A page whose site is suppressed keeps no contacts. Its text stays: the job asked for it. */
export async function suppressInPage(sql: Sql, job: Job, page: Page): Promise<Page> {
  const { contacts } = page;
  if (!contacts) return page;
  const domain = domainIdentity(page.final_url ?? page.url)?.value ?? null;
  const { identities, erasedBy } = namedIn(contacts, domain);
  const suppressed = await findSuppressed(sql, job.userId, identities);
  if (suppressed.length === 0) return page;
  const erased = erasedBy(suppressed);
  if (domain === null || !erased.domain(domain)) {
    return { ...page, contacts: eraseFromContacts(contacts, erased, domain) };
  }
  const { contacts: _, ...rest } = page;
  return rest;
}

/** Whether a site may not be stored as a candidate either. */
export async function isSuppressedSite(sql: Sql, job: Job, site: string): Promise<boolean> {
  const domain = domainIdentity(site);
  if (domain === null) return false;
  return (await findSuppressed(sql, job.userId, domainsAbove(domain))).length > 0;
}
