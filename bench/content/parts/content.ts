import { scoreWhole } from '../content-scores.ts';
import { CONTENT_FILE, type LabelledPage, MORE_CONTENT_FILE, type WholePage } from '../labelled-pages.ts';
import {
  labelledFieldRows,
  pagesPerSecond,
  prefixed,
  type Reading,
  readLabelled,
  selectPages,
} from '../labelled-readings.ts';
import type { Part, Row } from '../part.ts';
import { mean } from '../scores.ts';

/** Main content, title, author and date of labelled pages of seven kinds (WCXB). */
const wholePagesPart = (name: string, needs: string): Part => ({
  name,
  needs,
  async measure(bench) {
    const pages = (await selectPages(bench, needs)).filter(isWhole);
    const rows: Row[] = [];
    let reference: number | undefined;
    for (const reader of bench.readers) {
      const readings = await readLabelled(bench, reader, pages);
      rows.push(...prefixed(reader, [...toRows(readings), pagesPerSecond(readings)]));
      const { f1 } = scoreWhole(readings);
      if (reference === undefined) reference = f1;
      else
        rows.push({
          name: `${reader.name}: word F1 lost against the HTML as saved`,
          figure: reference - f1,
          target: { atMost: 0.02 },
        });
    }
    return rows;
  },
});

export const contentPart = wholePagesPart('content', CONTENT_FILE);
export const moreContentPart = wholePagesPart('content-more', MORE_CONTENT_FILE);

const isWhole = (page: LabelledPage): page is WholePage => page.set !== 'traf';

function toRows(readings: readonly Reading<WholePage>[]): Row[] {
  const { precision, recall, f1 } = scoreWhole(readings);
  const kinds = [...new Set(readings.map(({ page }) => page.type))];
  return [
    { name: 'word F1', figure: f1, target: { atLeast: 0.86 }, note: `${readings.length} pages` },
    { name: 'word precision', figure: precision },
    { name: 'word recall', figure: recall },
    ...kinds.map((kind) => {
      const ofKind = readings.filter(({ page }) => page.type === kind);
      const score = scoreWhole(ofKind);
      return {
        name: `word F1, ${kind}`,
        figure: score.f1,
        target: { atLeast: 0.75 },
        note: `${ofKind.length} pages, precision ${score.precision.toFixed(3)}, recall ${score.recall.toFixed(3)}`,
      };
    }),
    { name: 'snippets of the content present', figure: mean(readings.flatMap((one) => one.with)) },
    { name: 'snippets beside the content absent', figure: mean(readings.flatMap((one) => one.without)) },
    ...labelledFieldRows(readings),
  ];
}
