import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { COLUMN_NAMES } from '../api/leads/columns.ts';
import { AUDIT_ACTIONS } from '../core/accounts/audit.ts';
import { scrapeRequest } from '../core/jobs/job-schemas.ts';

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');

test('docs/reference/job.md lists every field of a request and of a job', () => {
  const [request = '', job = ''] = read('docs/reference/job.md').split('## The job');
  expect(firstCells(request)).toEqual(Object.keys(scrapeRequest.shape).sort());
  const [fields = '', attempt = ''] = job.split('| field of an attempt |');
  expect(firstCells(fields)).toEqual(fieldsOf('core/jobs/job.ts', 'Job'));
  expect(firstCells(attempt)).toEqual(fieldsOf('core/jobs/job.ts', 'Attempt'));
});

test('docs/reference/page.md lists every field of a page and of its contacts', () => {
  const [page = '', contacts = ''] = read('docs/reference/page.md').split('## Contacts');
  expect(firstCells(page)).toEqual(fieldsOf('core/jobs/page.ts', 'Page'));
  expect(firstCells(contacts)).toEqual(fieldsOf('core/leads/lead.ts', 'Contacts'));
});

test('docs/reference/lead.md lists every field of a lead and every column of its tables', () => {
  const [text = '', candidate = ''] = read('docs/reference/lead.md').split('## Candidate');
  expect(firstCells(text)).toEqual([...fieldsOf('core/leads/lead.ts', 'Lead'), 'found_at', 'job_ids'].sort());
  expect(firstCells(candidate)).toEqual(fieldsOf('core/leads/candidate.ts', 'LeadCandidate'));
  expect(text.replace(/\s+/g, ' ')).toContain(COLUMN_NAMES.join(' '));
});

test('docs/reference/api.md lists every route with its methods, and no other', () => {
  const [, table = ''] =
    /export function apiRoutes[\s\S]*?\n {2}return \{\n([\s\S]*?)\n {2}\};/.exec(read('api/routes.ts')) ?? [];
  const [, ...parts] = table.split(/^ {4}'(\/[^']+)': /m);
  const routes = parts.flatMap((path, at) =>
    at % 2 === 1
      ? []
      : [...(parts[at + 1] ?? '').matchAll(/\b(GET|POST|PATCH|DELETE): \{/g)].map(
          ([, method]) => `${method} ${path.replace(/:\w+/g, '{}')}`,
        ),
  );
  expect(routes.length).toBeGreaterThan(50);
  expect(documentedRoutes()).toEqual([...routes].sort());
});

test('docs/guide/users-and-keys.md lists every action of the audit log', () => {
  const [, log = ''] = read('docs/guide/users-and-keys.md').split('## Audit log');
  const cells = [...log.matchAll(/^\| (`[^|]+`) \|/gm)].map(([, cell]) => String(cell));
  const actions = cells.flatMap((cell) => [...cell.matchAll(/`([a-z_.]+)`/g)].map(([, action]) => action));
  expect(actions.sort()).toEqual([...AUDIT_ACTIONS].sort());
});

/** `GET /x`, `GET, PATCH /x` or `GET /x, /y`, in the first cells of the tables. */
function documentedRoutes(): string[] {
  const routes = new Set<string>();
  for (const [, cell = ''] of read('docs/reference/api.md').matchAll(/^\| ([^|]+) \|/gm)) {
    let methods: string[] = [];
    let hadPath = true;
    for (const [, word = ''] of cell.matchAll(/([A-Z]{3,6}|\/[\w/{}-]+)(?=[\s`,]|$)/g)) {
      if (word.startsWith('/')) {
        for (const method of methods) routes.add(`${method} ${word.replace(/\{\w+\}/g, '{}')}`);
      } else methods = hadPath ? [word] : [...methods, word];
      hadPath = word.startsWith('/');
    }
  }
  return [...routes].filter((route) => !/ \/(health|metrics)/.test(route)).sort();
}

/** The names in the first cells of the rows of a table. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]+`) \|/gm)]
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name]) => String(name)))
    .sort();

function fieldsOf(file: string, name: string): string[] {
  const [, base, body = ''] =
    new RegExp(`export interface ${name}(?: extends (\\w+))? \\{\\n([\\s\\S]*?)\\n\\}`).exec(read(file)) ??
    [];
  const own = [...body.matchAll(/^ {2}([a-z_]+)\??:/gm)].map(([, field]) => String(field));
  return [...own, ...(base ? fieldsOf(file, base) : [])].sort();
}
