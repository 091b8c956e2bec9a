import { writeFile } from 'node:fs/promises';
import { type Block, blocksOf } from '../../../../scraping/content/blocks.ts';
import { collapsed, parsePage } from '../../../../scraping/content/dom.ts';
import { featuresOf } from '../../../../scraping/content/features.ts';
import { factsOf, keptOf, readableBody } from '../../../../scraping/content/main-content.ts';
import { encodeTrees, judge, type Trees } from '../../../../scraping/content/trees.ts';
import { readCorpusLines } from '../corpus.ts';
import { mean, wordScore } from '../scores.ts';
import { boost, type Examples } from './boost.ts';
import { labelsOf } from './labels.ts';

interface TrainingPage {
  id: string;
  type: string;
  content: string;
  body: Element;
  title: string;
  blocks: Block[];
  rows: Float32Array[];
  labels: number[];
}

/**
 * Trains the model of main content: `node dist/scripts/bench/content/train/main.js <corpus> <model.ts> [trees]`. Given `none` for a file it
 * trains on each half of the pages and tells how that does on the other.
 */
const [, , corpus = '', file = '', count = '250'] = process.argv;

const pages = (
  await readCorpusLines<{ id: string; url: string; type: string; content: string | null; html: string }>(
    corpus,
    'content-dev.jsonl.gz',
  )
).flatMap(({ id, url, type, content, html }): TrainingPage[] => {
  if (!content) return [];
  const document = parsePage(html, url);
  const facts = factsOf(document, url);
  const title = collapsed(document.title);
  const body = readableBody(document);
  const tree = blocksOf(body);
  const labels = labelsOf(tree.blocks, content);
  return [{ id, type, content, body, title, blocks: tree.blocks, rows: featuresOf(tree, facts), labels }];
});
process.stderr.write(
  `${pages.length} pages, ${pages.reduce((sum, { rows }) => sum + rows.length, 0)} blocks\n`,
);
report('if every label were found', pages, ({ labels }) => labels);

const isEven = ({ id }: TrainingPage) => Number(id) % 2 === 0;
const halves = [pages.filter(isEven), pages.filter((page) => !isEven(page))] as const;
if (file === 'none') {
  const models = halves.map((half) => boost(examplesOf(half), Number(count)));
  const other = (page: TrainingPage) => models[isEven(page) ? 1 : 0] as Trees;
  report('pages of the half not trained on', pages, (page) =>
    page.rows.map((row) => judge(other(page), row)),
  );
}
if (file !== 'none') {
  const model = encodeTrees(boost(examplesOf(pages), Number(count)));
  await writeFile(
    file,
    `/** Trees that tell content from the rest, written by scripts/bench/content/train/main.ts. */\nexport const MODEL =\n  '${model}';\n`,
  );
}

/** Every kind counts the same, in it every page, and in that every word nearly so. */
function examplesOf(half: readonly TrainingPage[]): Examples {
  const kinds = new Set(half.map(({ type }) => type));
  const weights = half.flatMap(({ blocks, type }) => {
    const share = half.length / kinds.size / half.filter((page) => page.type === type).length;
    const each = blocks.map(({ words }) => (words + 1) ** 0.8);
    const all = each.reduce((sum, weight) => sum + weight, 0);
    return each.map((weight) => (weight / all) * share * 60);
  });
  return {
    rows: half.flatMap(({ rows }) => rows),
    labels: Float32Array.from(half.flatMap(({ labels }) => labels)),
    weights: Float32Array.from(weights),
  };
}

function report(
  name: string,
  measured: readonly TrainingPage[],
  chances: (page: TrainingPage) => number[],
): void {
  const scores = measured.map((page) => {
    const kept = keptOf(page.blocks, chances(page), page);
    const text = page.blocks.filter((_, at) => kept[at]).map((block) => block.text);
    return { type: page.type, f1: wordScore(text.join('\n'), page.content).f1 };
  });
  const kinds = [...new Set(scores.map(({ type }) => type))];
  const each = kinds.map(
    (kind) => `${kind} ${mean(scores.filter(({ type }) => type === kind).map(({ f1 }) => f1)).toFixed(3)}`,
  );
  process.stderr.write(`${name}: ${mean(scores.map(({ f1 }) => f1)).toFixed(4)} (${each.join(', ')})\n`);
}
