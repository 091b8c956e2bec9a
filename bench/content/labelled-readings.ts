import { half } from './corpus.ts';
import { type LabelledPage, readLabelledPages } from './labelled-pages.ts';
import type { ContentBench, Row } from './part.ts';
import type { PageReader } from './reader.ts';
import { mean, normalised, share, splitWords } from './scores.ts';

/** A labelled page with what was read of it. */
export interface Reading<Page extends LabelledPage> {
  page: Page;
  text: string;
  with: number[];
  without: number[];
  title: string | null;
  author: string | null;
  date: string | null;
  ms: number;
}

/** The pages of a file that the options ask for. */
export async function selectPages({ options }: ContentBench, file: string): Promise<LabelledPage[]> {
  const pages = half(await readLabelledPages(options.corpus, file), options.half);
  return pages.filter((_, at) => at % options.every === 0);
}

/** Reads the pages one after the other. */
export async function readLabelled<Page extends LabelledPage>(
  bench: ContentBench,
  reader: PageReader,
  pages: readonly Page[],
): Promise<Reading<Page>[]> {
  const readings: Reading<Page>[] = [];
  for (const page of pages) {
    const begun = performance.now();
    const { text = '', metadata = {}, error } = await reader.read(page, ['text', 'metadata']);
    const ms = performance.now() - begun;
    const { html: _, content: __, ...labels } = { content: null, ...page };
    const reading: Reading<Page> = {
      ...{ page, text, ms },
      with: page.with.map((snippet) => Number(containsWords(text, snippet))),
      without: page.without.map((snippet) => Number(!containsWords(text, snippet))),
      title: nonEmpty(metadata.title),
      author: nonEmpty(metadata.author),
      date: nonEmpty(metadata.published)?.slice(0, 10) ?? null,
    };
    readings.push(reading);
    const { title, author, date } = reading;
    bench.detail({
      reader: reader.name,
      labels,
      title,
      author,
      date,
      text,
      ms: Math.round(ms),
      error: error ?? null,
    });
  }
  return readings;
}

/** Whether the same words occur in a row, whatever separates them. */
const containsWords = (text: string, snippet: string): boolean =>
  ` ${normalised(text)} `.includes(` ${normalised(snippet)} `);

const nonEmpty = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

/** Title, author and date. */
export function labelledFieldRows(readings: readonly Reading<LabelledPage>[]): Row[] {
  return [
    ...fieldRows(readings, 'title', isSameTitle, { atLeast: 0.75 }),
    ...fieldRows(readings, 'author', isSameAuthor),
    ...fieldRows(readings, 'date', (given, label) => given === label, { atLeast: 0.7 }),
  ];
}

function fieldRows(
  readings: readonly Reading<LabelledPage>[],
  field: 'title' | 'author' | 'date',
  isRight: (given: string, label: string) => boolean,
  target?: Row['target'],
): Row[] {
  const labelled = readings.filter(({ page }) => page[field]);
  // An empty label only means that it was not filled in.
  const without = readings.filter(({ page }) => page[field] === null);
  const right = share(labelled, (one) => {
    const given = one[field];
    return given !== null && isRight(given, one.page[field] ?? '');
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

const isSameTitle = (given: string, label: string) => normalised(given) === normalised(label);

/** The same names in any order, whatever separates them. */
const isSameAuthor = (given: string, label: string) =>
  [...splitWords(given)].sort().join(' ') === [...splitWords(label)].sort().join(' ');

export const pagesPerSecond = (readings: readonly Reading<LabelledPage>[]): Row => ({
  name: 'pages a second',
  figure: 1000 / mean(readings.map(({ ms }) => ms)),
  note: 'one at a time',
});

/** Each reader's rows, those of the second with its name before them. */
export const prefixed = (reader: PageReader, rows: readonly Row[]): Row[] =>
  rows.map((row) => (reader.name === 'html' ? row : { ...row, name: `${reader.name}: ${row.name}` }));
