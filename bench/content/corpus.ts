import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/**
 * The corpus: a folder of labelled pages outside this project. docs/internals/content-bench.md says where to
 * get it.
 */

export const hasInCorpus = (corpus: string, name: string): boolean => existsSync(join(corpus, name));

export const readCorpusFile = (corpus: string, name: string): Promise<Buffer> => readFile(join(corpus, name));

/** The objects of a gzipped file of JSON lines. */
export async function readCorpusLines<T>(corpus: string, name: string): Promise<T[]> {
  const text = (await promisify(gunzip)(await readCorpusFile(corpus, name))).toString('utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

/** Selects the items with even or odd number; all if undefined. */
export function half<T extends { id: string | number }>(items: T[], which: 'even' | 'odd' | undefined): T[] {
  if (which === undefined) return items;
  return items.filter(({ id }) => (Number.parseInt(String(id), 10) % 2 === 0) === (which === 'even'));
}
