import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..');

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

test.each(documents)('the relative links of %s lead to files and headings that exist', (document) => {
  const links = [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(document, link));
  expect(broken).toEqual([]);
});

test('each page of docs/ can be reached from README', () => {
  const reached = new Set(['README.md']);
  for (const document of reached) {
    for (const [, link = ''] of prose(document).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      const target = relative(root, join(root, dirname(document), link));
      if (target.endsWith('.md') && existsSync(join(root, target))) reached.add(target);
    }
  }
  expect(documents.filter((document) => document.startsWith('docs') && !reached.has(document))).toEqual([]);
});

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? document : relative(root, join(root, dirname(document), path));
  if (!existsSync(join(root, target))) return false;
  return heading === undefined || headingsOf(target).includes(heading);
}

/** As GitHub names them: lower case, without punctuation, hyphens for blanks. */
function headingsOf(document: string): string[] {
  return [...prose(document).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Without blocks of code. */
function prose(document: string): string {
  return readFileSync(join(root, document), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
}
