import { collapseSpaces } from '../../scraping/extraction/document/dom.ts';
import type { PiecesPage, WholePage } from './labelled-pages.ts';
import { mean, type Score, score, wordScore } from './scores.ts';

export interface Extracted<Page> {
  page: Page;
  text: string;
}

/** The mean over whole pages as their collection counts it. */
export function scoreWhole(found: readonly Extracted<WholePage>[]): Score {
  const scores = found.map(({ page, text }) =>
    page.set === 'aeb' ? shingleScore(text, page.content ?? '') : wordScore(text, page.content ?? ''),
  );
  const precision = mean(scores.map((each) => each.precision));
  const recall = mean(scores.map((each) => each.recall));
  // WCXB takes the mean of every page's F1, article-extraction-benchmark the F1 of both means.
  if (found[0]?.page.set !== 'aeb') return { precision, recall, f1: mean(scores.map(({ f1 }) => f1)) };
  return { precision, recall, f1: harmonic(precision, recall) };
}

/**
 * Over the pieces of all pages, as trafilatura counts: one that must be there is right if it is,
 * one that must not is wrong if it is.
 */
export function pieceScore(found: readonly Extracted<PiecesPage>[]): Score {
  let [right, wrong, all] = [0, 0, 0];
  for (const { page, text } of found) {
    const given = collapseSpaces(text);
    const count = (pieces: string[]) =>
      pieces.filter((piece) => given.includes(collapseSpaces(piece))).length;
    right += count(page.with);
    wrong += count(page.without);
    all += page.with.length;
  }
  return score(right, right + wrong, all);
}

/** Two texts as bags of runs of four words, as article-extraction-benchmark counts. */
function shingleScore(found: string, expected: string): Pick<Score, 'precision' | 'recall' | 'f1'> {
  const [foundRuns, expectedRuns] = [runsOf(found), runsOf(expected)];
  const left = new Map<string, number>();
  for (const run of expectedRuns) left.set(run, (left.get(run) ?? 0) + 1);
  let common = 0;
  for (const run of foundRuns) {
    const count = left.get(run) ?? 0;
    if (count === 0) continue;
    left.set(run, count - 1);
    common += 1;
  }
  return score(common, foundRuns.length, expectedRuns.length);
}

const RUN = 4;

function runsOf(text: string): string[] {
  const words = text.match(/[\p{L}\p{N}_]+/gu) ?? [];
  return Array.from({ length: Math.max(1, words.length - RUN + 1) }, (_, at) =>
    words.slice(at, at + RUN).join(' '),
  );
}

const harmonic = (precision: number, recall: number): number =>
  precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
