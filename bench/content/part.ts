import type { ContentBenchOptions } from './options.ts';
import type { PageReader } from './reader.ts';

/** One line of the table. Figures are shares from 0 to 1 unless their name says otherwise. */
export interface Row {
  name: string;
  figure: number;
  target?: { atLeast?: number; atMost?: number };
  /** Of how many, or what to know when reading it. */
  note?: string;
}

/** One subject of the bench: a file in `parts/`, listed in `parts.ts`. */
export interface Part {
  name: string;
  /** What it reads in the corpus folder: a file or a folder. Without it the part is left out, and the table says so. */
  needs: string;
  measure(bench: ContentBench): Promise<Row[]>;
}

/** What every part works with. */
export interface ContentBench {
  options: ContentBenchOptions;
  /** Turns HTML into content as a job does; with `--browser` a second one that renders the page first. */
  readers: readonly PageReader[];
  /** Notes something for `--details`. */
  detail(fact: Record<string, unknown>): void;
}
