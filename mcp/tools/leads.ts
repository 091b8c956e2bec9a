import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { type Lead, SOURCE_TYPES } from '../../core/leads/lead.ts';
import type { ApiClient } from '../api-client.ts';
import { jobSummary, summaryOf, summaryText } from '../job-summary.ts';
import { runJob } from '../jobs.ts';
import { oneLine, quoteUntrusted, UNTRUSTED } from '../untrusted.ts';
import { addTool, jobId, LOADS, READS, waitSeconds } from './tool.ts';

/** A lead without its evidence, which is most of its size. */
const leadLine = z.object({
  company: z.string().nullable(),
  website: z.string().nullable(),
  domain: z.string().nullable(),
  emails: z.array(z.string()),
  phones: z.array(z.string()),
  addresses: z.array(z.string()),
  people: z.array(z.object({ name: z.string(), role: z.string().nullable(), email: z.string().nullable() })),
  industry: z.string().nullable(),
  description: z.string().nullable(),
  sources: z.array(z.string()),
});
type LeadLine = z.infer<typeof leadLine>;

const leadList = {
  trust: z.literal(UNTRUSTED),
  leads: z.array(leadLine),
  next_cursor: z.string().nullable(),
};

/** Leads in the first answer of a search. */
const FIRST_LEADS = 20;

export function addLeadTools(server: McpServer, api: ApiClient): void {
  addTool(server, {
    name: 'find_leads',
    title: 'Find businesses',
    description:
      'Starts a search for businesses with their e-mail addresses and phones, and answers with its job and those found so far. Give industry or keywords with a geography, a search_query, or the urls of sites to read. The search goes on after the answer: get_leads has the rest.',
    input: z.strictObject({
      industry: z.string().max(500).optional().describe('Such as joinery'),
      keywords: z.array(z.string().max(200)).max(100).optional(),
      geography: z.string().max(500).optional().describe('Such as Leeds, UK'),
      search_query: z.string().max(2000).optional().describe('Searched instead of the three above'),
      urls: z.array(z.string().max(8192)).max(100).optional().describe('Sites to read instead of a search'),
      source_types: z.array(z.enum(SOURCE_TYPES)).max(SOURCE_TYPES.length).optional(),
      has_email: z.boolean().optional(),
      has_phone: z.boolean().optional(),
      country: z.string().max(100).optional(),
      max_leads: z.int().min(1).max(1000).default(20),
      wait_seconds: waitSeconds(40),
    }),
    output: z.object({ job: jobSummary, ...leadList }),
    annotations: LOADS,
    run: async ({ has_email, has_phone, country, wait_seconds, ...search }, call) => {
      const sources = search.source_types ?? (search.urls ? ['website'] : undefined);
      const spec = { ...search, source_types: sources, filters: { has_email, has_phone, country } };
      const job = summaryOf(await runJob(api, spec, wait_seconds, call));
      const list = await listLeads(api, `/jobs/${job.job_id}/leads`, { limit: FIRST_LEADS });
      const text = `${summaryText(job)}\n${leadsText(list, `job_id ${job.job_id}`)}`;
      return { text, structured: { job, ...list } };
    },
  });

  addTool(server, {
    name: 'get_leads',
    title: 'Read found businesses',
    description:
      'The businesses of one job, in the order found; or without job_id those of all your jobs, each once, by q, domain, country, has_email and has_phone.',
    input: z.strictObject({
      job_id: jobId.optional(),
      q: z.string().max(500).optional().describe('Beginnings of words, in all your leads'),
      domain: z.string().max(300).optional(),
      country: z.string().max(100).optional(),
      has_email: z.boolean().optional(),
      has_phone: z.boolean().optional(),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().max(500).optional().describe('next_cursor of the answer before'),
    }),
    output: z.object(leadList),
    annotations: READS,
    run: async ({ job_id, ...query }) => {
      // Filters that do not apply are refused there, by name.
      const list = await listLeads(api, job_id ? `/jobs/${job_id}/leads` : '/leads', query);
      return { text: leadsText(list, job_id ? `job_id ${job_id}` : 'the same filters'), structured: list };
    },
  });
}

type Query = Record<string, string | number | boolean | undefined>;

interface LeadList {
  trust: typeof UNTRUSTED;
  leads: LeadLine[];
  next_cursor: string | null;
}

async function listLeads(api: ApiClient, path: string, query: Query): Promise<LeadList> {
  const { leads, next_cursor } = await api.get<{ leads: Lead[]; next_cursor: string | null }>(path, query);
  return { trust: UNTRUSTED, leads: leads.map(lineOf), next_cursor };
}

/** Each list is bounded: the first values are the most certain ones. */
const MOST_VALUES = 5;

const lineOf = (lead: Lead): LeadLine => ({
  company: lead.company && oneLine(lead.company),
  website: lead.website,
  domain: lead.domain,
  emails: lead.emails.slice(0, MOST_VALUES),
  phones: lead.phones.slice(0, MOST_VALUES),
  addresses: lead.addresses.slice(0, 2).map(({ text }) => oneLine(text)),
  people: (lead.people ?? [])
    .slice(0, MOST_VALUES)
    .map(({ name, role, email }) => ({ name: oneLine(name), role: role && oneLine(role), email })),
  industry: lead.industry && oneLine(lead.industry),
  description: lead.description && oneLine(lead.description),
  sources: lead.sources,
});

function leadsText({ leads, next_cursor }: LeadList, how: string): string {
  if (leads.length === 0) return 'No leads.';
  const lines = leads.map(({ company, website, emails, phones, addresses, people }) =>
    [company ?? 'without a name', website, ...emails, ...phones, ...addresses, ...people.map(personText)]
      .filter(Boolean)
      .join(' | '),
  );
  const more = next_cursor === null ? [] : [`More: get_leads with ${how} and cursor ${next_cursor}.`];
  return [quoteUntrusted('the web', lines.join('\n')), ...more].join('\n');
}

const personText = ({ name, role }: LeadLine['people'][number]): string => (role ? `${name}, ${role}` : name);
