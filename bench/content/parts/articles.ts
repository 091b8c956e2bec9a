import { pieceScore, scoreWhole } from '../content-scores.ts';
import { ARTICLES_FILE } from '../labelled-pages.ts';
import {
  labelledFieldRows,
  pagesPerSecond,
  prefixed,
  readLabelled,
  selectPages,
} from '../labelled-readings.ts';
import type { Part, Row } from '../part.ts';
import type { Score } from '../scores.ts';

/**
 * Articles of two other collections, each counted as its authors count: whole bodies by runs of four
 * words (article-extraction-benchmark), and pieces that must be there or must not (trafilatura).
 */
export const articlesPart: Part = {
  name: 'articles',
  needs: ARTICLES_FILE,
  async measure(bench) {
    const pages = await selectPages(bench, ARTICLES_FILE);
    const whole = pages.flatMap((page) => (page.set === 'traf' ? [] : [page]));
    const pieces = pages.flatMap((page) => (page.set === 'traf' ? [page] : []));
    const rows: Row[] = [];
    for (const reader of bench.readers) {
      const ofWhole = await readLabelled(bench, reader, whole);
      const ofPieces = await readLabelled(bench, reader, pieces);
      const measured = [
        ...toRows('whole articles', scoreWhole(ofWhole), 0.965, ofWhole.length),
        ...toRows('pieces', pieceScore(ofPieces), 0.925, ofPieces.length),
        ...labelledFieldRows(ofPieces),
        pagesPerSecond([...ofWhole, ...ofPieces]),
      ];
      rows.push(...prefixed(reader, measured));
    }
    return rows;
  },
};

const toRows = (name: string, { precision, recall, f1 }: Score, atLeast: number, pages: number): Row[] => [
  { name: `${name}, F1`, figure: f1, target: { atLeast }, note: `${pages} pages` },
  { name: `${name}, precision`, figure: precision },
  { name: `${name}, recall`, figure: recall },
];
