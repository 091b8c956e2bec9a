import { z } from 'zod';
import {
  date,
  moment,
  momentInQuery,
  queryInt,
  string,
  text,
  timeZone,
  webUrl,
} from '../schema-primitives.ts';
import { LINK_CODE } from './link.ts';

/** Requests about short links and statistics. */

const code = z
  .string()
  .regex(LINK_CODE, 'expected 3 to 64 letters, digits, - and _, the first a letter or digit');

/** Body of `POST /links`. With `share` the target is the results of `job_id`, else `url`. */
export const createLinkRequest = z
  .strictObject({
    url: webUrl.optional(),
    code: code.optional(),
    expires_at: moment.optional(),
    job_id: z.uuid().optional(),
    lead_id: text(200).optional(),
    share: z.boolean().default(false),
  })
  .superRefine((body, context) => {
    const wrong = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (body.share) {
      if (body.url !== undefined) wrong('url', 'expected none: a shared result has its own');
      if (body.code !== undefined) wrong('code', 'expected none: the code of a shared result is a secret');
      if (body.job_id === undefined) wrong('job_id', 'expected the job whose results are shared');
    } else if (body.url === undefined) wrong('url', 'expected where the link leads');
  });

/** Body of `PATCH /links/{code}`. `expires_at: null` removes the expiry. */
export const changeLinkRequest = z
  .strictObject({ url: webUrl.optional(), expires_at: moment.nullable().optional() })
  .refine((body) => body.url !== undefined || body.expires_at !== undefined, 'expected url or expires_at');

export const listLinksQuery = z.strictObject({
  job_id: z.uuid().optional(),
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});

export const qrQuery = z.strictObject({
  format: z.enum(['svg', 'png']).default('svg'),
  /** Width in pixels. */
  size: queryInt(64, 2048).default(256),
});

/** A timestamp, or a date (`2026-01-31`) for its start in the time zone of the query. */
const since = z.union(
  [date, momentInQuery.transform((at) => new Date(at))],
  'expected a date, or a moment as 2026-01-31T12:00:00Z',
);

const range = {
  from: since.optional(),
  to: since.optional(),
  interval: z.enum(['hour', 'day', 'week', 'month']).default('day'),
  tz: timeZone.default('UTC'),
};

/** Query of `GET /links/{code}/stats`. */
export const linkStatsQuery = z.strictObject(range);

/** Query of `GET /stats`. `all` is for admins only. */
export const statsQuery = z.strictObject({ ...range, all: z.enum(['true', 'false']).default('false') });
