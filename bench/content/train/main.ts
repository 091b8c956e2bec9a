import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { getDomain } from 'tldts';
import { type Block, segmentBlocks } from '../../../scraping/extraction/content/blocks.ts';
import { computeFeatures } from '../../../scraping/extraction/content/features.ts';
import { encodeTrees, predict } from '../../../scraping/extraction/content/gradient-boosted-trees.ts';
import { readableBody, readPageFacts } from '../../../scraping/extraction/content/main-content.ts';
import { selectBlocks } from '../../../scraping/extraction/content/select-blocks.ts';
import { collapseSpaces, parsePage } from '../../../scraping/extraction/document/dom.ts';
import { readCorpusLines } from '../corpus.ts';
import { mean, wordScore } from '../scores.ts';
import { boost, type Examples } from './boost.ts';
import { labelBlocks } from './labels.ts';

interface TrainingPage {
  /** Pages of one site look alike, so they stay in one fold. */
  site: string;
  type: string;
  content: string;
  body: Element;
  title: string;
  blocks: Block[];
  rows: Float32Array[];
  labels: number[];
}

/**
 * Trains the model of main content: `node dist/bench/content/train/main.js <corpus> <model.ts>
 * [--trees n]`. With `--folds n` instead of a file it cross-validates: each of n folds of sites is
 * predicted by a model trained on the others.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { trees: { type: 'string', default: '220' }, folds: { type: 'string' } },
});
const [corpus = '', file] = positionals;
const count = Number(values.trees);
const folds = Number(values.folds ?? 0);
if ((file === undefined) === folds < 2) throw new Error('give a file for the model, or --folds from 2 on');

const pages = (
  await readCorpusLines<{ id: string; url: string; type: string; content: string | null; html: string }>(
    corpus,
    'content-dev.jsonl.gz',
  )
).flatMap(({ id, url, type, content, html }): TrainingPage[] => {
  if (!content) return [];
  const document = parsePage(html, url);
  const facts = readPageFacts(document, url);
  const title = collapseSpaces(document.title);
  const body = readableBody(document);
  const tree = segmentBlocks(body);
  const labels = labelBlocks(tree.blocks, content);
  return [
    {
      site: getDomain(url) ?? id,
      type,
      content,
      body,
      title,
      blocks: tree.blocks,
      rows: computeFeatures(tree, facts),
      labels,
    },
  ];
});
process.stderr.write(
  `${pages.length} pages, ${pages.reduce((sum, { rows }) => sum + rows.length, 0)} blocks\n`,
);
report('if every label were found', pages, ({ labels }) => labels);

if (folds >= 2) {
  const probabilities = new Map<TrainingPage, number[]>();
  for (let fold = 0; fold < folds; fold += 1) {
    const heldOut = pages.filter(({ site }) => assignFold(site) === fold);
    const model = boost(weighExamples(pages.filter(({ site }) => assignFold(site) !== fold)), count);
    for (const page of heldOut) {
      probabilities.set(
        page,
        page.rows.map((row) => predict(model, row)),
      );
    }
  }
  report(`pages of sites not trained on, ${folds} folds`, pages, (page) => probabilities.get(page) ?? []);
}
if (file !== undefined) {
  const model = encodeTrees(boost(weighExamples(pages), count));
  await writeFile(
    file,
    `/** Trees that tell content from the rest, written by bench/content/train/main.ts. */\nexport const MODEL =\n  '${model}';\n`,
  );
}

/** The fold of a site; the same in every run. */
function assignFold(site: string): number {
  return createHash('sha256').update(site).digest().readUInt32BE(0) % folds;
}

/** Weights: page types count equally, then pages within a type, then nearly words within a page. */
function weighExamples(half: readonly TrainingPage[]): Examples {
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
  probabilities: (page: TrainingPage) => number[],
): void {
  const scores = measured.map((page) => {
    const kept = selectBlocks(page.blocks, probabilities(page), { ...page, scope: 'balanced' });
    const text = page.blocks.filter((_, at) => kept[at]).map((block) => block.text);
    return { type: page.type, f1: wordScore(text.join('\n'), page.content).f1 };
  });
  const kinds = [...new Set(scores.map(({ type }) => type))];
  const each = kinds.map(
    (kind) => `${kind} ${mean(scores.filter(({ type }) => type === kind).map(({ f1 }) => f1)).toFixed(3)}`,
  );
  process.stderr.write(`${name}: ${mean(scores.map(({ f1 }) => f1)).toFixed(4)} (${each.join(', ')})\n`);
}
