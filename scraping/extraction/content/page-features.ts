import { parseUrl } from '../../../core/parse-url.ts';
import type { Block } from './blocks.ts';
import { HINTS, type Hint, NEVER } from './element-hints.ts';

/** Facts about the page from its head and URL. */
export interface PageFacts {
  url: string;
  title: string;
  openGraphType: string;
  /** schema.org types in JSON-LD, lower case, each between spaces. */
  types: string;
  /** Descriptions in the head and the structured data, lower case. */
  descriptions: string;
}

/** The features that all blocks of a page have in common. */
export function pageFeatures(
  blocks: readonly Block[],
  traits: readonly { level: number }[],
  facts: PageFacts,
): number[] {
  const sum = (of: (block: Block) => number) => blocks.reduce((total, block) => total + of(block), 0);
  const words = sum((block) => block.words);
  const chars = sum((block) => block.chars);
  const has = (hint: Hint) => {
    const at = HINTS.indexOf(hint);
    return sum((block) => (block.hints[at] === NEVER ? 0 : block.words)) / Math.max(1, words);
  };
  const path = parseUrl(facts.url);
  const steps = path?.pathname.split('/').filter(Boolean) ?? [];
  return [
    blocks.length,
    words,
    sum((block) => block.linkChars) / Math.max(1, chars),
    sum((block) => (block.isProse ? block.words : 0)) / Math.max(1, words),
    sum((block) => (block.isProse ? 1 : 0)),
    sum((block) => (/[$€£]\s?\d/.test(block.text.slice(0, 200)) ? 1 : 0)),
    sum((block) => (block.container.tagName === 'PRE' ? 1 : 0)),
    traits.filter(({ level }) => level === 1).length,
    traits.filter(({ level }) => level === 2 || level === 3).length,
    has('main'),
    has('article'),
    has('nameForum'),
    has('nameProduct'),
    has('nameComment'),
    has('nameContent'),
    has('noscript'),
    has('table'),
    steps.length,
    steps.at(-1)?.split(/[-_]/).length ?? 0,
    /^(article|blog)/.test(facts.openGraphType)
      ? 1
      : /product/.test(facts.openGraphType)
        ? 2
        : facts.openGraphType === ''
          ? 0
          : 3,
    / (newsarticle|article|blogposting|report|techarticle) /.test(facts.types) ? 1 : 0,
    / (product|productgroup|offer|aggregateoffer) /.test(facts.types) ? 1 : 0,
    / (discussionforumposting|qapage|question|answer) /.test(facts.types) ? 1 : 0,
    / (itemlist|collectionpage|searchresultspage) /.test(facts.types) ? 1 : 0,
    / (faqpage|localbusiness|service|organization) /.test(facts.types) ? 1 : 0,
    /\/(p|dp|product|products|item|itm|shop)\//.test(path?.pathname ?? '') ? 1 : 0,
    /\/(collections?|category|categories|c|shop|plp|cat|browse)\//.test(path?.pathname ?? '') ? 1 : 0,
    /forum|community|thread|topic|discuss|\/t\/|questions|viewtopic|talk/.test(facts.url) ? 1 : 0,
    /docs?\b|documentation|manual|reference|api|guide|tutorial|wiki/.test(facts.url) ? 1 : 0,
    /blog|news|article|post|\/20\d\d\//.test(facts.url) ? 1 : 0,
  ];
}
