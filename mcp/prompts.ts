import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

/** Requests that a person can pick from a list. */
export function addPrompts(server: McpServer): void {
  server.registerPrompt(
    'research_site',
    {
      title: 'Research a site',
      description: 'Answers a question from the pages of a site',
      argsSchema: {
        url: z.string().describe('Address of the site'),
        question: z.string().describe('What you want to know'),
      },
    },
    ({ url, question }) =>
      ask(
        `Answer this question from the site ${url}: ${question}`,
        'Use map with a search for its words to find pages that may answer it, or crawl with a small max_pages if there are none.',
        'Read the best ones with scrape or read_page, further parts only if they are needed.',
        'Say which page each part of your answer is from, and what you did not find.',
      ),
  );
  server.registerPrompt(
    'find_leads',
    {
      title: 'Find businesses',
      description: 'Finds businesses of a kind in a place, with contacts',
      argsSchema: {
        business: z.string().describe('Such as joiners'),
        place: z.string().describe('Such as Leeds, UK'),
        count: z.string().optional().describe('How many; 20 without'),
      },
    },
    ({ business, place, count }) =>
      ask(
        `Find ${count ?? '20'} businesses: ${business} in ${place}.`,
        'Start find_leads with industry, geography and has_email, then check_job until the job has ended, then get_leads.',
        'Answer with a table of company, website, e-mail and phone. Leave out what does not match, and say how many there were.',
      ),
  );
  server.registerPrompt(
    'summarize_crawl',
    {
      title: 'Summarize a crawl',
      description: 'What the pages of a crawl say',
      argsSchema: { job_id: z.string().describe('job_id of the crawl') },
    },
    ({ job_id }) =>
      ask(
        `Summarize what job ${job_id} found.`,
        'List its pages with check_job, read those that matter with read_page, and name the page of each statement.',
      ),
  );
}

const ask = (...lines: string[]) => ({
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: lines.join('\n') } }],
});
