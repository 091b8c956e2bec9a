import type { ContentBenchOptions } from './options.ts';
import type { PageReader } from './reader.ts';

/** One line of the table. Figures are shares from 0 to 1 unless their name says otherwise. */
export interface Row {
  name: string;
  figure: number;
  target?: { atLeast?: number; atMost?: number };
  /** Sample size or remark. */
  note?: string;
}

/** One subject of the bench: a file in `parts/`, listed in `parts.ts`. */
export interface Part {
  name: string;
  /**
   * File or folder in the corpus that it reads. Without it the part is skipped, with a note on
   * stderr.
   */
  needs: string;
  measure(bench: ContentBench): Promise<Row[]>;
}

/** Context of every part. */
export interface ContentBench {
  options: ContentBenchOptions;
  /** Read HTML as a job does; with `--browser` a second one renders the page first. */
  readers: readonly PageReader[];
  /** Writes a line for `--details`. */
  detail(fact: Record<string, unknown>): void;
}
