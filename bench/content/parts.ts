import type { Part } from './part.ts';
import { articlesPart } from './parts/articles.ts';
import { commonmarkPart } from './parts/commonmark.ts';
import { contactsPart } from './parts/contacts.ts';
import { contentPart, moreContentPart } from './parts/content.ts';
import { encodingPart } from './parts/encoding.ts';
import { robotsPart } from './parts/robots.ts';

/** Every part of the bench, in the order of the table. */
export const CONTENT_PARTS: readonly Part[] = [
  contentPart,
  moreContentPart,
  articlesPart,
  commonmarkPart,
  contactsPart,
  encodingPart,
  robotsPart,
];
