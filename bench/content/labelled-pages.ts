import { hasInCorpus, readCorpusLines } from './corpus.ts';

/**
 * Pages whose main content others labelled, from three collections. What each file holds and where
 * it is from: docs/internals/content-bench.md.
 */
export type LabelledPage = WholePage | PiecesPage;

export interface PageLabels {
  title: string | null;
  author: string | null;
  date: string | null;
}

interface SavedPage extends PageLabels {
  id: string;
  url: string;
  html: string;
}

/** Its whole content is labelled. */
export interface WholePage extends SavedPage {
  set: 'wcxb' | 'aeb';
  /** Kind of page: article, service, product and so on. */
  type: string;
  /** Null if not labelled, although most of those pages have content. */
  content: string | null;
  /** Pieces of the content, and of what stands beside it. */
  with: string[];
  without: string[];
}

/** Only some pieces are labelled. */
export interface PiecesPage extends SavedPage {
  set: 'traf';
  type: 'article';
  with: string[];
  without: string[];
}

export const CONTENT_FILE = 'content-dev.jsonl.gz';
export const MORE_CONTENT_FILE = 'content-dev-more.jsonl.gz';
export const ARTICLES_FILE = 'articles-dev.jsonl.gz';

/** The pages of one file; none if the corpus does not have it. */
export async function readLabelledPages(corpus: string, file: string): Promise<LabelledPage[]> {
  if (!hasInCorpus(corpus, file)) return [];
  const lines = await readCorpusLines<Partial<LabelledPage> & SavedPage>(corpus, file);
  return lines.map((line) => ({ ...DEFAULTS, ...line }) as LabelledPage);
}

const DEFAULTS = {
  set: 'wcxb',
  type: 'article',
  title: null,
  author: null,
  date: null,
  content: null,
  with: [],
  without: [],
};
