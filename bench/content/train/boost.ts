import type { Trees } from '../../../scraping/extraction/content/gradient-boosted-trees.ts';

export interface Examples {
  rows: Float32Array[];
  /** Share of each block that is content, 0 to 1. */
  labels: Float32Array;
  weights: Float32Array;
}

const DEPTH = 5;
const BINS = 32;
const RATE = 0.1;
const COLUMN_SHARE = 0.35;
const ROW_SHARE = 0.6;
const SMOOTHING = 1;

/**
 * Gradient boosting over binned features with logistic loss; each tree uses a random sample of rows
 * and columns. Deterministic.
 */
export function boost({ rows, labels, weights }: Examples, count: number): Trees {
  const width = rows[0]?.length ?? 0;
  const random = seeded(7);
  const edges = Array.from({ length: width }, (_, column) => binEdges(rows, column));
  const bins = edges.map((cuts, column) => Uint8Array.from(rows, (row) => findBin(cuts, row[column] ?? 0)));
  const inner = 2 ** DEPTH - 1;
  const features = new Uint8Array(count * inner);
  const thresholds = new Float32Array(count * inner).fill(Number.POSITIVE_INFINITY);
  const leaves = new Float32Array(count * (inner + 1));
  const base = baseLogOdds(labels, weights);
  const scores = new Float32Array(rows.length).fill(base);
  const [gradients, curvatures] = [new Float32Array(rows.length), new Float32Array(rows.length)];
  const nodes = new Uint16Array(rows.length);

  for (let tree = 0; tree < count; tree += 1) {
    for (let row = 0; row < rows.length; row += 1) {
      const probability = 1 / (1 + Math.exp(-(scores[row] ?? 0)));
      const weight = weights[row] ?? 0;
      gradients[row] = ((labels[row] ?? 0) - probability) * weight;
      curvatures[row] = Math.max(1e-6, probability * (1 - probability)) * weight;
    }
    const picked = Uint32Array.from(Array.from(rows.keys()).filter(() => random() < ROW_SHARE));
    const columns = Array.from({ length: width }, (_, column) => column).filter(
      () => random() < COLUMN_SHARE,
    );
    nodes.fill(0);
    for (let level = 0; level < DEPTH; level += 1) {
      const first = 2 ** level - 1;
      const splits = bestSplits({
        picked,
        columns,
        bins,
        nodes,
        gradients,
        curvatures,
        first,
        count: first + 1,
      });
      for (let at = 0; at <= first; at += 1) {
        const split = splits[at];
        if (!split) continue;
        features[tree * inner + first + at] = split.column;
        thresholds[tree * inner + first + at] = edges[split.column]?.[split.bin] ?? Number.POSITIVE_INFINITY;
      }
      for (let row = 0; row < rows.length; row += 1) {
        const node = nodes[row] ?? 0;
        const split = splits[node - first];
        const goesRight = split !== undefined && (bins[split.column]?.[row] ?? 0) > split.bin;
        nodes[row] = 2 * node + (goesRight ? 2 : 1);
      }
    }
    const [up, down] = [new Float64Array(inner + 1), new Float64Array(inner + 1)];
    for (const row of picked) {
      const leaf = (nodes[row] ?? 0) - inner;
      up[leaf] = (up[leaf] ?? 0) + (gradients[row] ?? 0);
      down[leaf] = (down[leaf] ?? 0) + (curvatures[row] ?? 0);
    }
    for (let leaf = 0; leaf <= inner; leaf += 1) {
      const step = (RATE * (up[leaf] ?? 0)) / ((down[leaf] ?? 0) + SMOOTHING);
      leaves[tree * (inner + 1) + leaf] = Math.max(-1, Math.min(1, step));
    }
    for (let row = 0; row < rows.length; row += 1) {
      scores[row] = (scores[row] ?? 0) + (leaves[tree * (inner + 1) + (nodes[row] ?? 0) - inner] ?? 0);
    }
    if (tree % 25 === 24)
      process.stderr.write(`  tree ${tree + 1}, loss ${meanLoss(scores, labels, weights).toFixed(4)}\n`);
  }
  return { depth: DEPTH, features, thresholds, leaves, base };
}

interface Split {
  column: number;
  bin: number;
  gain: number;
}

function bestSplits(options: {
  picked: Uint32Array;
  columns: number[];
  bins: Uint8Array[];
  nodes: Uint16Array;
  gradients: Float32Array;
  curvatures: Float32Array;
  first: number;
  count: number;
}): (Split | undefined)[] {
  const { picked, columns, bins, nodes, gradients, curvatures, first, count } = options;
  const best: (Split | undefined)[] = Array.from({ length: count }, () => undefined);
  const size = picked.length;
  const [places, up, down] = [new Uint16Array(size), new Float32Array(size), new Float32Array(size)];
  for (let at = 0; at < size; at += 1) {
    const row = picked[at] ?? 0;
    places[at] = ((nodes[row] ?? 0) - first) * BINS;
    up[at] = gradients[row] ?? 0;
    down[at] = curvatures[row] ?? 0;
  }
  for (const column of columns) {
    const binned = bins[column] ?? new Uint8Array();
    const [sums, weights] = [new Float64Array(count * BINS), new Float64Array(count * BINS)];
    for (let at = 0; at < size; at += 1) {
      // biome-ignore-start lint/style/noNonNullAssertion: the innermost loop, every place is inside of its array
      const place = places[at]! + binned[picked[at]!]!;
      sums[place]! += up[at]!;
      weights[place]! += down[at]!;
      // biome-ignore-end lint/style/noNonNullAssertion: as above
    }
    for (let node = 0; node < count; node += 1) {
      const found = bestCut(sums, weights, node * BINS);
      if (found && found.gain > (best[node]?.gain ?? 1e-4)) best[node] = { column, ...found };
    }
  }
  return best;
}

function bestCut(sums: Float64Array, weights: Float64Array, from: number): Omit<Split, 'column'> | undefined {
  let [allUp, allDown] = [0, 0];
  for (let bin = 0; bin < BINS; bin += 1) {
    allUp += sums[from + bin] ?? 0;
    allDown += weights[from + bin] ?? 0;
  }
  const worth = (up: number, down: number) => (up * up) / (down + SMOOTHING);
  const before = worth(allUp, allDown);
  let best: Omit<Split, 'column'> | undefined;
  let [up, down] = [0, 0];
  for (let bin = 0; bin < BINS - 1; bin += 1) {
    up += sums[from + bin] ?? 0;
    down += weights[from + bin] ?? 0;
    if (down < 0.5 || allDown - down < 0.5) continue;
    const gain = worth(up, down) + worth(allUp - up, allDown - down) - before;
    if (gain > (best?.gain ?? 0)) best = { bin, gain };
  }
  return best;
}

/**
 * Bin edges of one feature, at equal shares of the rows. A frequent value is a bin of its own and
 * takes no bins from the others: most features are nearly constant, and the rare values tell blocks
 * apart.
 */
function binEdges(rows: readonly Float32Array[], column: number): Float32Array {
  const step = Math.max(1, Math.floor(rows.length / 20_000));
  const counts = new Map<number, number>();
  for (let at = 0; at < rows.length; at += step) {
    const value = rows[at]?.[column] ?? 0;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const values = [...counts.keys()].sort((a, b) => a - b);
  if (values.length <= BINS) return Float32Array.from(values.slice(1));

  const all = Math.ceil(rows.length / step);
  const isCommon = (value: number) => (counts.get(value) ?? 0) >= all / BINS;
  const common = values.filter(isCommon);
  const rest = all - common.reduce((sum, value) => sum + (counts.get(value) ?? 0), 0);
  const each = rest / Math.max(1, BINS - common.length);
  const cuts: number[] = [];
  let inBin = 0;
  for (const [at, value] of values.entries()) {
    const before = values[at - 1];
    const isFull = inBin >= each || (isCommon(value) && inBin >= each / 2);
    if (before !== undefined && cuts.length < BINS - 1 && (isCommon(before) || isFull)) {
      cuts.push(value);
      inBin = 0;
    }
    inBin += counts.get(value) ?? 0;
  }
  return Float32Array.from(cuts);
}

function findBin(cuts: Float32Array, value: number): number {
  let bin = 0;
  while (bin < cuts.length && value >= (cuts[bin] ?? 0)) bin += 1;
  return bin;
}

function baseLogOdds(labels: Float32Array, weights: Float32Array): number {
  let [up, all] = [0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    up += (labels[row] ?? 0) * (weights[row] ?? 0);
    all += weights[row] ?? 0;
  }
  return Math.log(up / (all - up));
}

function meanLoss(scores: Float32Array, labels: Float32Array, weights: Float32Array): number {
  let [sum, all] = [0, 0];
  for (let row = 0; row < scores.length; row += 1) {
    const probability = Math.min(1 - 1e-6, Math.max(1e-6, 1 / (1 + Math.exp(-(scores[row] ?? 0)))));
    const label = labels[row] ?? 0;
    const weight = weights[row] ?? 0;
    sum -= weight * (label * Math.log(probability) + (1 - label) * Math.log(1 - probability));
    all += weight;
  }
  return sum / all;
}

/** Deterministic pseudo-random numbers from 0 to 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
