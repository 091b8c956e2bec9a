import { z } from 'zod';
import {
  changeLinkRequest,
  createLinkRequest,
  linkStatsQuery,
  listLinksQuery,
  qrQuery,
  statsQuery,
} from '../../core/links/link-schemas.ts';
import { count, created, listOf, type Operations, ok, removed, time, uuid } from './operation.ts';

const link = z
  .object({
    link_id: uuid,
    code: z.string(),
    url: z.string(),
    share: z.boolean(),
    job_id: uuid.nullable(),
    lead_id: z.string().nullable(),
    short_url: z.string(),
    preview_url: z.string(),
    created_at: time,
    updated_at: time,
    expires_at: time.nullable(),
  })
  .meta({ id: 'Link' });

const range = { from: z.string(), to: z.string(), interval: z.string() };
const linkStats = z.looseObject(range).meta({ id: 'LinkStats' });
const stats = z
  .looseObject({
    scope: z.enum(['own', 'all']),
    ...range,
    jobs_by_state: z.record(z.string(), count),
    created: count,
    pages: count,
    leads: count,
  })
  .meta({ id: 'Stats' });

export const linkOperations: Operations = {
  'GET /api/v1/links': {
    summary: 'List links, newest first',
    query: listLinksQuery,
    answers: ok('Links', listOf('links', link)),
  },
  'POST /api/v1/links': {
    summary: 'Make a short link, or share the results of a job',
    body: createLinkRequest,
    isIdempotent: true,
    answers: created('The link', link),
    errors: { 409: ['code_taken'] },
  },
  'GET /api/v1/links/:code': { summary: 'Show a link', answers: ok('It', link) },
  'PATCH /api/v1/links/:code': {
    summary: 'Change where a link leads, or when it expires',
    body: changeLinkRequest,
    answers: ok('It, changed', link),
  },
  'DELETE /api/v1/links/:code': { summary: 'Remove a link', answers: removed('It is gone') },
  'GET /api/v1/links/:code/qr': {
    summary: 'Draw a link as a QR code',
    query: qrQuery,
    answers: { 200: { says: 'The picture', types: ['image/svg+xml', 'image/png'] } },
  },
  'GET /api/v1/links/:code/stats': {
    summary: 'Count the clicks of a link',
    query: linkStatsQuery,
    answers: ok('Its clicks', linkStats),
  },
  'GET /api/v1/stats': {
    summary: 'Show statistics of jobs',
    query: statsQuery,
    answers: ok('Statistics', stats),
  },
  'GET /share/:code': {
    summary: 'Show shared results',
    answers: { 200: { says: 'A page', types: ['text/html'] } },
    errors: { 410: ['expired'] },
  },
  'GET /share/:code/:file': {
    summary: 'Download shared results',
    description: '`pages.csv`, `pages.json`, `leads.csv` or `leads.json`.',
    answers: { 200: { says: 'The file', json: z.unknown(), types: ['text/csv'] } },
    errors: { 410: ['expired'] },
  },
};
