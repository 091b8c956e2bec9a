import { half, readCorpusLines } from '../corpus.ts';
import type { ContentBench, Part, Row } from '../part.ts';
import type { PageReader } from '../reader.ts';
import { mean, normalised, type Score, share, splitWords, wordScore } from '../scores.ts';

interface LabelledPage {
  id: string;
  url: string;
  type: string;
  title: string | null;
  author: string | null;
  date: string | null;
  /** Null if not labelled, although most of those pages have content. */
  content: string | null;
  with: string[];
  without: string[];
  html: string;
}

const FILE = 'content-dev.jsonl.gz';

/** Main content, title, author and date of labelled pages of seven kinds (WCXB). */
export const contentPart: Part = {
  name: 'content',
  needs: FILE,
  async measure(bench) {
    const { corpus, every } = bench.options;
    const all = half(await readCorpusLines<LabelledPage>(corpus, FILE), bench.options.half);
    const pages = all.filter((_, at) => at % every === 0);
    const rows: Row[] = [];
    let reference: number | undefined;
    for (const reader of bench.readers) {
      const { found, seconds } = await readAll(bench, reader, pages);
      const prefix = reader.name === 'html' ? '' : `${reader.name}: `;
      rows.push(...toRows(found).map((row) => ({ ...row, name: prefix + row.name })));
      rows.push({ name: `${prefix}pages a second`, figure: pages.length / seconds, note: 'one at a time' });
      const f1 = mean(found.map(({ score }) => score.f1));
      if (reference === undefined) reference = f1;
      else
        rows.push({
          name: `${prefix}word F1 lost against the HTML as saved`,
          figure: reference - f1,
          target: { atMost: 0.02 },
        });
    }
    return rows;
  },
};

interface Found {
  page: LabelledPage;
  score: Score;
  with: number[];
  without: number[];
  title: string | null;
  author: string | null;
  date: string | null;
}

async function readAll(
  bench: ContentBench,
  reader: PageReader,
  pages: LabelledPage[],
): Promise<{ found: Found[]; seconds: number }> {
  const found: Found[] = [];
  let busyMs = 0;
  for (const page of pages) {
    const begun = performance.now();
    const read = await reader.read(page, ['text', 'metadata']);
    busyMs += performance.now() - begun;
    const text = read.text ?? '';
    const metadata = read.metadata ?? {};
    const one: Found = {
      page,
      score: wordScore(text, page.content ?? ''),
      with: page.with.map((snippet) => Number(containsWords(text, snippet))),
      without: page.without.map((snippet) => Number(!containsWords(text, snippet))),
      title: nonEmpty(metadata.title),
      author: nonEmpty(metadata.author),
      date: nonEmpty(metadata.published)?.slice(0, 10) ?? null,
    };
    found.push(one);
    bench.detail({
      part: 'content',
      reader: reader.name,
      id: page.id,
      type: page.type,
      url: page.url,
      ...one.score,
      labels: { title: page.title, author: page.author, date: page.date },
      found: { title: one.title, author: one.author, date: one.date },
      error: read.error ?? null,
      ms: Math.round(performance.now() - begun),
      text,
    });
  }
  return { found, seconds: busyMs / 1000 };
}

/** Whether the same words occur in a row, whatever separates them. */
const containsWords = (text: string, snippet: string): boolean =>
  ` ${normalised(text)} `.includes(` ${normalised(snippet)} `);

const nonEmpty = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

function toRows(found: Found[]): Row[] {
  const f1 = (pages: Found[]) => mean(pages.map(({ score }) => score.f1));
  const kinds = [...new Set(found.map(({ page }) => page.type))];
  return [
    { name: 'word F1', figure: f1(found), target: { atLeast: 0.86 }, note: `${found.length} pages` },
    { name: 'word precision', figure: mean(found.map(({ score }) => score.precision)) },
    { name: 'word recall', figure: mean(found.map(({ score }) => score.recall)) },
    ...kinds.map((kind) => {
      const pages = found.filter(({ page }) => page.type === kind);
      return {
        name: `word F1, ${kind}`,
        figure: f1(pages),
        target: { atLeast: 0.75 },
        note: `${pages.length} pages`,
      };
    }),
    { name: 'snippets of the content present', figure: mean(found.flatMap((one) => one.with)) },
    { name: 'snippets beside the content absent', figure: mean(found.flatMap((one) => one.without)) },
    ...labelRows(found, 'title', isSameTitle, { atLeast: 0.75 }),
    ...labelRows(found, 'author', isSameAuthor),
    ...labelRows(found, 'date', (given, label) => given === label, { atLeast: 0.7 }),
  ];
}

function labelRows(
  found: Found[],
  field: 'title' | 'author' | 'date',
  isRight: (given: string, label: string) => boolean,
  target?: Row['target'],
): Row[] {
  const labelled = found.filter(({ page }) => page[field]);
  // An empty label only means that it was not filled in.
  const without = found.filter(({ page }) => page[field] === null);
  const right = share(labelled, (one) => {
    const given = one[field];
    return given !== null && isRight(given, page(one, field));
  });
  const rows: Row[] = [
    { name: `${field} right`, figure: right, note: `of ${labelled.length}`, ...(target ? { target } : {}) },
  ];
  if (without.length > 0) {
    rows.push({
      name: `${field} invented`,
      figure: share(without, (one) => one[field] !== null),
      note: `of ${without.length} without one`,
    });
  }
  return rows;
}

const page = (one: Found, field: 'title' | 'author' | 'date'): string => one.page[field] ?? '';

const isSameTitle = (given: string, label: string) => normalised(given) === normalised(label);

/** The same names in any order, whatever separates them. */
const isSameAuthor = (given: string, label: string) =>
  [...splitWords(given)].sort().join(' ') === [...splitWords(label)].sort().join(' ');
