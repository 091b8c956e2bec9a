import { finishDeletion } from '../../db/deletions/deletions.ts';
import { findLeadsOfBusiness, removeLeads } from '../../db/deletions/remove-leads.ts';
import { type LeadsQuery, listKnownLeads } from '../../db/leads.ts';
import type { Advancing } from './advance.ts';
import { QUEUES } from './queues.ts';

/** One business, or those that a filter finds, in all jobs of their user. */
export const deleteLeads: Advancing = async ({ database }, deletion, goesOn) => {
  const { lead_id: one, query, upTo } = deletion.request as LeadsRequest;
  const userId = deletion.user_id ?? '';
  const next = async () => {
    if (one !== undefined) return [one];
    const { leads } = await listKnownLeads(
      database,
      { ...query, userId },
      { before: AFTER_ALL, upTo },
      AT_ONCE,
    );
    return leads.map(({ id }) => id);
  };
  while (goesOn()) {
    let removed = 0;
    for (const id of await next()) {
      if (!goesOn()) return 'more';
      const places = await findLeadsOfBusiness(database, userId, id);
      removed += await removeLeads(database, deletion.id, places, QUEUES);
    }
    if (removed > 0) continue;
    await finishDeletion(database, deletion.id);
    return 'done';
  }
  return 'more';
};

/** As it is stored while it runs. */
interface LeadsRequest {
  /** Of one business; else those of `query`, up to the newest at the request. */
  lead_id?: string;
  query: Omit<LeadsQuery, 'userId'>;
  upTo: string;
}

const AFTER_ALL = '9223372036854775807';
const AT_ONCE = 50;
