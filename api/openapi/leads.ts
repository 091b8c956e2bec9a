import { z } from 'zod';
import { listCandidatesQuery, listJobLeadsQuery, listLeadsQuery } from '../../core/leads/lead-schemas.ts';
import { NDJSON } from '../http/stream.ts';
import { count, errorInfo, listOf, type Operations, ok, time, uuid } from './operation.ts';

const text = z.string();

export const postalAddress = z
  .object({
    text,
    street: text.nullable(),
    city: text.nullable(),
    region: text.nullable(),
    postal_code: text.nullable(),
    country: text.nullable().meta({ description: 'ISO 3166-1 alpha-2' }),
  })
  .meta({ id: 'Address' });

/** What contacts and leads both say of a business. */
export const facts = {
  legal_name: text.nullable(),
  legal_form: text.nullable(),
  people: z.array(
    z.object({ name: text, role: text.nullable(), email: text.nullable(), phone: text.nullable() }),
  ),
  registrations: z.array(
    z.object({ kind: text, number: text, country: text.nullable(), authority: text.nullable() }),
  ),
  opening_hours: z.array(text),
  language: text.nullable(),
  email_kinds: z.record(text, text),
  phone_kinds: z.record(text, text),
};

const evidence = z.object({
  field: text,
  value: text,
  url: text,
  method: text,
  snippet: text,
  confidence: z.number(),
  found_at: time.optional(),
});

const lead = {
  company: text.nullable(),
  website: text.nullable(),
  domain: text.nullable(),
  emails: z.array(text),
  phones: z.array(text),
  faxes: z.array(text),
  addresses: z.array(postalAddress),
  socials: z.record(text, text),
  industry: text.nullable(),
  description: text.nullable(),
  employees: z.union([text, count]).nullable(),
  logo: text.nullable(),
  ...facts,
  sources: z.array(text),
  evidence: z.array(evidence),
  unverified_filters: z.array(text),
};

const candidate = z
  .object({
    key: text,
    url: text.nullable(),
    name: text.nullable(),
    sources: z.array(text),
    outcome: text,
    reason: text.nullable(),
    filter: text.nullable(),
    merged_into: text.nullable(),
    error: errorInfo.nullable(),
    checked_at: time,
  })
  .meta({ id: 'Candidate' });

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const exports = [NDJSON, 'text/csv', XLSX];

export const leadOperations: Operations = {
  'GET /api/v1/jobs/:id/leads': {
    summary: 'List the leads of a job',
    query: listJobLeadsQuery,
    answers: {
      200: { says: 'Leads', json: listOf('leads', z.object(lead).meta({ id: 'Lead' })), types: exports },
    },
  },
  'GET /api/v1/jobs/:id/candidates': {
    summary: 'List the sites that a lead search looked at',
    query: listCandidatesQuery,
    answers: ok('Candidates, with what became of each', listOf('candidates', candidate)),
  },
  'GET /api/v1/leads': {
    summary: 'Search the businesses of all jobs, each once',
    query: listLeadsQuery,
    answers: {
      200: {
        says: 'Leads',
        json: listOf(
          'leads',
          z
            .object({ lead_id: z.string(), ...lead, job_ids: z.array(uuid), found_at: time })
            .meta({ id: 'KnownLead' }),
        ),
        types: exports,
      },
    },
  },
};
