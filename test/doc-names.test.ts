import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';

// Documentation names files, settings, metrics, log events and columns: a renamed one shows here.

const root = join(import.meta.dirname, '..');
const FOLDERS = [
  ...['api', 'bench', 'core', 'db', 'dispatch', 'mcp', 'queue', 'runtime', 'scraping', 'scripts'],
  ...['storage', 'supervisor', 'test', 'workers'],
];
/** Of Postgres and RabbitMQ, and a type of event that does not exist. */
const FOREIGN = ['consumer_timeout', 'pg_dump', 'pg_total_relation_size', 'logged_in'];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name)),
);
const sources = [...files.filter((file) => file !== 'test/doc-names.test.ts'), 'docker-compose.yml']
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');
const fileNames = new Set(files.map((file) => basename(file)));

const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));

test.each([...documents, 'README.md', 'CONTRIBUTING.md'])('the names in %s exist in the code', (document) => {
  const text = readFileSync(join(root, document), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
  const spans = [...text.matchAll(/`([^`]+)`/g)].map(([, span]) => String(span));
  const paths = spans.flatMap((span) => span.match(/[\w./-]+\.(?:ts|mjs)\b/g) ?? []);
  const names = spans.flatMap((span) => span.match(/[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+/g) ?? []);
  // A file is named by its path, or by its name beside one.
  expect(paths.filter((path) => !existsSync(join(root, path)) && !isShortName(path))).toEqual([]);
  expect(names.filter((name) => !FOREIGN.includes(name) && !sources.includes(name))).toEqual([]);
});

const isShortName = (path: string): boolean =>
  path.includes('/') ? files.some((file) => file.endsWith(`/${path}`)) : fileNames.has(path);
