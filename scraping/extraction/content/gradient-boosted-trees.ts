/**
 * Gradient-boosted decision trees, small enough to be part of the source: a feature vector in, a
 * probability out. All trees are complete and of equal depth, so a tree is two plain arrays: the
 * split of each inner node (breadth first) and the value of each leaf.
 */
export interface Trees {
  depth: number;
  /**
   * Per tree and inner node: the feature it compares, and the threshold from which on it goes
   * right.
   */
  features: Uint8Array;
  thresholds: Float32Array;
  /** Per tree and leaf: what it adds to the log-odds. */
  leaves: Float32Array;
  /** Log-odds before the first tree. */
  base: number;
}

/** The probability for one feature vector, 0 to 1. */
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

/** Leaves are stored as 16-bit multiples of this. */
const LEAF_STEP = 1 / 4096;

/** Serializes trees for a source file; `decodeTrees` reads it. */
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
    // A copy: typed arrays need aligned bytes.
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
