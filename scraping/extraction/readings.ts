import { readSitePage } from './contacts/site-page.ts';
import { extract } from './extract.ts';
import { extractFile } from './files/extract-file.ts';

/**
 * The functions that an extraction thread offers, by name. Without effects, with untrusted input and unbounded
 * run time. Input and result must survive structured cloning.
 */
export const READINGS = {
  /** A page of a job, in the requested formats. */
  page: extract,
  /** A file of a job, in the requested formats. */
  file: extractFile,
  /** A page of a lead candidate's site. */
  site: readSitePage,
};

export type Readings = typeof READINGS;
export type ReadingKind = keyof Readings;
export type InputOf<Kind extends ReadingKind> = Parameters<Readings[Kind]>[0];
export type ResultOf<Kind extends ReadingKind> = Awaited<ReturnType<Readings[Kind]>>;
/** A message to a thread. */
export type Question = { [Kind in ReadingKind]: { kind: Kind; input: InputOf<Kind> } }[ReadingKind];

export const answer = async ({ kind, input }: Question): Promise<ResultOf<ReadingKind>> =>
  await (READINGS[kind] as (input: unknown) => ResultOf<ReadingKind> | Promise<ResultOf<ReadingKind>>)(input);
