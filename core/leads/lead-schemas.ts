import { z } from 'zod';
import { queryBoolean, queryInt, string, text } from '../schema-primitives.ts';
import { CANDIDATE_OUTCOMES } from './candidate.ts';
import { countryCode } from './country.ts';
import { SOURCE_TYPES } from './lead.ts';

/** Queries about leads. */

const leadFormat = z.enum(['json', 'ndjson', 'csv', 'xlsx']);

/** Query of `GET /jobs/{id}/leads`. Without a limit JSON holds 100, the other formats all. */
export const listJobLeadsQuery = z
  .strictObject({
    limit: queryInt(1, 1000).optional(),
    cursor: string(500).optional(),
    format: leadFormat.optional(),
    /** Of CSV: false leaves phones without an apostrophe, and the file without a BOM. */
    excel: queryBoolean.optional(),
    /** With a `next_cursor` until the job has ended. */
    follow: queryBoolean.optional(),
  })
  .refine(({ follow, format }) => !follow || format === undefined || format === 'json', {
    path: ['follow'],
    message: 'expected none with a format other than json: only JSON has a next_cursor',
  });

/** `q`: word prefixes in company, domain, e-mail, place, industry or description. */
const leadFilter = {
  q: text(200).optional(),
  domain: text(253).optional(),
  country: text(100)
    .refine((value) => countryCode(value) !== null, 'expected a country, such as DE or Germany')
    .transform((value) => countryCode(value) ?? value)
    .optional(),
  source: z.enum(SOURCE_TYPES, `expected one of ${SOURCE_TYPES.join(', ')}`).optional(),
};

/** Query of `GET /leads`. */
export const listLeadsQuery = z.strictObject({
  ...leadFilter,
  has_email: queryBoolean.optional(),
  has_phone: queryBoolean.optional(),
  limit: queryInt(1, 1000).optional(),
  cursor: string(500).optional(),
  format: leadFormat.optional(),
  /** Of CSV: false leaves phones without an apostrophe, and the file without a BOM. */
  excel: queryBoolean.optional(),
});

/** What `GET /leads` filters by. */
export type LeadFilter = Pick<
  z.infer<typeof listLeadsQuery>,
  'q' | 'domain' | 'country' | 'source' | 'has_email' | 'has_phone'
>;

/** Body of `POST /leads/delete`: the filters of `GET /leads`. */
export const deleteLeadsRequest = z
  .strictObject({
    ...leadFilter,
    has_email: z.boolean().optional(),
    has_phone: z.boolean().optional(),
    dry_run: z.boolean().default(false),
  })
  // An empty one would delete all.
  .refine(
    ({ dry_run: _, ...filter }) => Object.values(filter).some((value) => value !== undefined),
    'expected at least one of q, domain, country, source, has_email, has_phone',
  );

/** Query of `GET /jobs/{id}/candidates`. */
export const listCandidatesQuery = z.strictObject({
  limit: queryInt(1, 1000).default(100),
  cursor: string(500).optional(),
  outcome: z.enum(CANDIDATE_OUTCOMES, `expected one of ${CANDIDATE_OUTCOMES.join(', ')}`).optional(),
});
