/**
 * Boosted decision trees, small enough to be part of the source: a row of numbers in, a probability out. All trees are complete
 * and of one depth, so that a tree is two plain arrays: what each inner node asks, top down and left to right, and what each leaf adds.
 */
export interface Trees {
  depth: number;
  /** Of all trees in turn: which number of the row each inner node looks at, and the value from which on it goes right. */
  features: Uint8Array;
  thresholds: Float32Array;
  /** Of all trees in turn: what each leaf adds to the log-odds. */
  leaves: Float32Array;
  /** Log-odds before any tree. */
  base: number;
}

/** The probability for one row. */
export function predict(trees: Trees, row: Float32Array): number {
  const { depth, features, thresholds, leaves } = trees;
  const inner = (1 << depth) - 1;
  const count = leaves.length / (inner + 1);
  let sum = trees.base;
  for (let tree = 0; tree < count; tree += 1) {
    const first = tree * inner;
    let node = 0;
    while (node < inner) {
      const value = row[features[first + node] as number] as number;
      node = 2 * node + (value < (thresholds[first + node] as number) ? 1 : 2);
    }
    sum += leaves[first + tree + node - inner] as number;
  }
  return 1 / (1 + Math.exp(-sum));
}

/** What a leaf is a whole number of, when written down. */
const LEAF_STEP = 1 / 4096;

/** Text for a source file. */
export function encodeTrees({ depth, features, thresholds, leaves, base }: Trees): string {
  const steps = Int16Array.from(leaves, (leaf) => Math.round(leaf / LEAF_STEP));
  const parts = [features, thresholds, steps].map((part) =>
    Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64'),
  );
  return [depth, base, ...parts].join(' ');
}

export function decodeTrees(text: string): Trees {
  const [depth, base, ...parts] = text.split(' ');
  const [features, thresholds, steps] = parts.map((part) => {
    const bytes = Buffer.from(part, 'base64');
    // A copy, because a view needs its bytes aligned.
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  });
  return {
    depth: Number(depth),
    base: Number(base),
    features: new Uint8Array(features ?? []),
    thresholds: new Float32Array(thresholds ?? []),
    leaves: Float32Array.from(new Int16Array(steps ?? []), (step) => step * LEAF_STEP),
  };
}
