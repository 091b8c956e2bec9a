import { readSitePage } from './contacts/site-page.ts';
import { extract } from './extract.ts';

/**
 * What an extraction thread can do with a page, by name: pure functions of what a stranger wrote, that take as long as it likes. What
 * they are given and what they give can be cloned.
 */
export const READINGS = {
  /** A page of a job, in the formats it wants. */
  page: extract,
  /** A page of a site that may be a lead. */
  site: readSitePage,
};

export type Readings = typeof READINGS;
export type ReadingKind = keyof Readings;
export type InputOf<Kind extends ReadingKind> = Parameters<Readings[Kind]>[0];
export type ResultOf<Kind extends ReadingKind> = ReturnType<Readings[Kind]>;
/** A question to a thread. */
export type Question = { [Kind in ReadingKind]: { kind: Kind; input: InputOf<Kind> } }[ReadingKind];

export const answer = ({ kind, input }: Question): ResultOf<ReadingKind> =>
  (READINGS[kind] as (input: unknown) => ResultOf<ReadingKind>)(input);
