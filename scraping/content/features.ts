import type { Block, BlockTree, Inside } from './blocks.ts';
import { isProse } from './blocks.ts';
import { MARKS, type Mark, NEVER } from './marks.ts';

/** What the page says of itself, beside its text. */
export interface PageFacts {
  url: string;
  title: string;
  openGraphType: string;
  /** Names of schema.org types in JSON-LD, in lower case, each between spaces. */
  types: string;
  /** What it describes itself with in its head and its structured data, in lower case. */
  descriptions: string;
}

/** Stands for all that is further. */
const FAR = 40;

/** Each block of a page as numbers, in one order for all pages: what the model was trained on and what it judges. */
export function featuresOf({ blocks, inside }: BlockTree, facts: PageFacts): Float32Array[] {
  const page = pageFeatures(blocks, facts);
  const makes = groupByMake(blocks);
  const holders = holdersOfProse(blocks, inside);
  const repeats = new Map<string, number>();
  for (const { text } of blocks) repeats.set(text, (repeats.get(text) ?? 0) + 1);
  const groups = groupsOf(blocks, inside);
  const whole = blocks.reduce((sum, { words }) => sum + words, 0);
  const titleWords = facts.title.toLowerCase();
  let before = 0;
  let heading: { at: number; level: number; about: number } = { at: -1, level: 0, about: 0 };
  let firstHeading = -1;

  return blocks.map((block, at) => {
    const own = lettersOf(block);
    const level = headingLevel(block);
    if (level === 1 && firstHeading < 0) firstHeading = at;
    const make = makes.get(block.make);
    const row: number[] = [
      ...own,
      level,
      block.depth,
      at,
      blocks.length - at,
      at / blocks.length,
      before / Math.max(1, whole),
      repeats.get(block.text) ?? 1,
      titleWords.includes(block.text.toLowerCase()) ? 1 : 0,
      TAGS.indexOf(block.container.tagName),
      heading.at < 0 ? FAR : Math.min(FAR, at - heading.at),
      heading.level,
      heading.about,
      firstHeading < 0 ? -1 : Math.min(200, at - firstHeading),
      aboutOf(block.text),
      make?.count ?? 1,
      (make?.words ?? 0) / Math.max(1, make?.count ?? 1),
      (make?.words ?? 0) / Math.max(1, whole),
      (make?.linkChars ?? 0) / Math.max(1, make?.chars ?? 1),
      at - (make?.first ?? at),
      isDescribed(block, facts) ? 1 : 0,
      ...(groups.get(block.container) ?? NO_GROUP),
    ];
    before += block.words;
    if (level > 0) heading = { at, level, about: aboutOf(block.text) };
    for (const step of [-3, -2, -1, 1, 2, 3]) row.push(...neighbour(block, blocks[at + step]));
    row.push(...around(blocks, at));
    row.push(...above(block, inside, whole));
    row.push(...holders.map((chain) => distanceTo(block, chain)));
    for (let mark = 0; mark < MARKS.length; mark += 1) {
      const depth = block.marks[mark] ?? NEVER;
      row.push(depth === NEVER ? FAR : Math.min(FAR - 1, block.depth - depth));
    }
    row.push(...page);
    return Float32Array.from(row);
  });
}

const TAGS = 'P DIV LI TD H1 H2 H3 H4 H5 H6 SPAN A PRE DT DD BLOCKQUOTE SECTION ARTICLE BUTTON TH'.split(' ');

const SMALL_WORDS =
  /\b(the|of|and|to|a|in|is|for|that|with|on|it|as|are|this|be|or|by|from|at|was|an|can|not|have|de|la|el|und|der|die|das|et|le|les|en|i)\b/gi;

const isDescribed = ({ text, chars }: Block, facts: PageFacts): boolean =>
  chars >= 20 && facts.descriptions.includes(text.slice(0, 200).toLowerCase());

const headingLevel = ({ container }: Block): number => {
  for (let element: Element | null = container, up = 0; element && up < 3; up += 1) {
    if (/^H[1-6]$/.test(element.tagName)) return Number(element.tagName[1]);
    element = element.parentElement;
  }
  return 0;
};

const share = (text: string, pattern: RegExp): number => (text.match(pattern)?.length ?? 0) / text.length;

function lettersOf({ text, words, chars, linkChars }: Block): number[] {
  const some = text.slice(0, 1000);
  return [
    words,
    linkChars / chars,
    chars / Math.max(1, words),
    /[.!?。:]["”’)]?$/.test(text) ? 1 : 0,
    share(some, /[.,;!?]/g),
    share(some, /\d/g),
    share(some, /\p{Lu}/gu),
    /[$€£¥]\s?\d|\d\s?(€|kr|zł|USD|EUR)/.test(some) ? 1 : 0,
    /[|•·›»>/]/.test(some) ? 1 : 0,
    (some.match(SMALL_WORDS)?.length ?? 0) / Math.max(1, words),
    /\?$/.test(text) ? 1 : 0,
  ];
}

/** What a few words are about, as far as it is always the same: what stands beside content says so in much the same words everywhere. */
function aboutOf(text: string): number {
  if (text.length > 200) return 0;
  const at = ABOUT.findIndex((pattern) => pattern.test(text));
  return at + 1;
}

const ABOUT = [
  /related|you (may|might)( also)?|also (like|bought|viewed)|recommend|similar|recently viewed|more from|read (next|more)|trending|most (popular|read)|latest|keep reading|up next|customers who|people also|frequently bought|pairs? well|complete the look|explore more/i,
  /cookie|consent|privacy policy|terms (of|and)|©|copyright|all rights reserved/i,
  /subscribe|newsletter|sign ?up|e-?mail address|your inbox|join (our|the|us)|get \d+% off/i,
  /log ?in|sign ?in|register|create (an )?account|my account|forgot/i,
  /\bshare\b|tweet|follow us|facebook|instagram|pinterest|linkedin|whatsapp|copy link/i,
  /add to (cart|bag|basket|wishlist)|checkout|buy now|in stock|sold out|out of stock|free shipping|free returns|quantity|size guide/i,
  /\b(reply|replies|quote|report|like|likes|upvote|vote|views?|joined|posts?|members?|moderator|permalink)\b/i,
  /\bcomments?\b|leave a (comment|reply)|reviews?\b|ratings?\b|out of 5/i,
  /^(by|written by|posted by|author|updated|published)\b|min read|minutes? ago|hours? ago|days? ago/i,
  /^(home|menu|search|close|next|previous|back|skip|show more|load more|view all|see all|learn more|read more|filter|sort|clear|apply|shop now|contact us?)\b/i,
  /description|details|specifications?|features|overview|ingredients|dimensions|materials?|care instructions|what'?s (included|in the box)|about this|product info/i,
  /faq|frequently asked|questions/i,
  /advertisement|sponsored/i,
];

function neighbour(block: Block, other: Block | undefined): number[] {
  if (!other) return [-1, -1, -1, -1];
  return [
    other.words,
    other.linkChars / other.chars,
    other.make === block.make ? 1 : 0,
    other.container.parentElement === block.container.parentElement ? 1 : 0,
  ];
}

/** The blocks near it, taken together. */
function around(blocks: readonly Block[], at: number): number[] {
  let [words, chars, linkChars, prose] = [0, 0, 0, 0];
  for (let near = Math.max(0, at - 8); near < Math.min(blocks.length, at + 9); near += 1) {
    const block = blocks[near];
    if (!block) continue;
    words += block.words;
    chars += block.chars;
    linkChars += block.linkChars;
    if (isProse(block)) prose += 1;
  }
  return [words, linkChars / Math.max(1, chars), prose];
}

/** The elements it is in, one after the other going up. */
function above(block: Block, inside: ReadonlyMap<Element, Inside>, whole: number): number[] {
  const row: number[] = [];
  let element: Element | null = block.container;
  let last: Inside | undefined;
  while (row.length < 20) {
    const sum: Inside | undefined = element ? (inside.get(element) ?? last) : last;
    // An element that adds nothing to what is in it says nothing.
    if (element && sum && last && sum.blocks === last.blocks) {
      element = element.parentElement;
      continue;
    }
    last = sum;
    row.push(
      sum?.words ?? 0,
      (sum?.words ?? 0) / Math.max(1, whole),
      (sum?.linkChars ?? 0) / Math.max(1, sum?.chars ?? 1),
      (sum?.prose ?? 0) / Math.max(1, sum?.words ?? 1),
      sum?.blocks ?? 0,
    );
    element = element?.parentElement ?? null;
  }
  return row;
}

/** Of an element that is one of several alike: how many there are, how much is in all and in each, and which it is. */
const NO_GROUP = [0, 0, 0, 0, 0, 0, FAR];

/** For every container of blocks the nearest element around it that is one of several alike, such as a card in a grid or a post. */
function groupsOf(blocks: readonly Block[], inside: ReadonlyMap<Element, Inside>): Map<Element, number[]> {
  const own = new Map<Element, number[]>();
  const seen = new Set<Element>();
  const groupChildren = (parent: Element) => {
    if (seen.has(parent)) return;
    seen.add(parent);
    const kinds = new Map<string, Element[]>();
    for (let child = parent.firstElementChild; child; child = child.nextElementSibling) {
      if ((inside.get(child)?.blocks ?? 0) === 0) continue;
      const kind = kindOf(child);
      const alike = kinds.get(kind);
      if (alike) alike.push(child);
      else kinds.set(kind, [child]);
    }
    for (const alike of kinds.values()) {
      if (alike.length < 3) continue;
      const numbers = groupNumbers(alike, inside);
      for (const [at, element] of alike.entries()) own.set(element, [...numbers, at, 0]);
    }
  };
  const known = new Map<Element, number[]>();
  const groupOf = (element: Element): number[] => {
    const found = known.get(element);
    if (found) return found;
    const parent = element.parentElement;
    let group = NO_GROUP;
    if (parent && inside.has(parent)) {
      groupChildren(parent);
      const outer = own.get(element) ?? groupOf(parent);
      const isOwn = own.has(element) || outer === NO_GROUP;
      group = isOwn ? outer : [...outer.slice(0, -1), Math.min(FAR, (outer.at(-1) ?? 0) + 1)];
    }
    known.set(element, group);
    return group;
  };
  for (const { container } of blocks) groupOf(container);
  return known;
}

const kindOf = (element: Element): string =>
  `${element.tagName}.${element.getAttribute('class')?.split(/\s/)[0] ?? ''}`;

function groupNumbers(alike: readonly Element[], inside: ReadonlyMap<Element, Inside>): number[] {
  let [words, chars, linkChars, blocks, prose] = [0, 0, 0, 0, 0];
  for (const element of alike) {
    const sum = inside.get(element);
    words += sum?.words ?? 0;
    chars += sum?.chars ?? 0;
    linkChars += sum?.linkChars ?? 0;
    blocks += sum?.blocks ?? 0;
    prose += sum?.prose ?? 0;
  }
  return [
    alike.length,
    words / alike.length,
    linkChars / Math.max(1, chars),
    blocks / alike.length,
    prose / Math.max(1, words),
  ];
}

interface Make {
  count: number;
  words: number;
  chars: number;
  linkChars: number;
  first: number;
}

function groupByMake(blocks: readonly Block[]): Map<string, Make> {
  const makes = new Map<string, Make>();
  blocks.forEach((block, at) => {
    const make = makes.get(block.make) ?? { count: 0, words: 0, chars: 0, linkChars: 0, first: at };
    make.count += 1;
    make.words += block.words;
    make.chars += block.chars;
    make.linkChars += block.linkChars;
    makes.set(block.make, make);
  });
  return makes;
}

/** From the root down to the smallest element that holds this much of the page's prose; for several shares. */
function holdersOfProse(blocks: readonly Block[], inside: ReadonlyMap<Element, Inside>): Set<Element>[] {
  const root = rootOf(blocks, inside);
  return [0.35, 0.6, 0.85].map((part) => {
    const chain = new Set<Element>();
    let element = root;
    const whole = root ? (inside.get(root)?.prose ?? 0) : 0;
    while (element) {
      chain.add(element);
      element = childrenOf(element).find(
        (child) => (inside.get(child)?.prose ?? 0) >= whole * part && whole > 0,
      );
    }
    return chain;
  });
}

const childrenOf = (element: Element): Element[] => Array.from(element.children);

function rootOf(blocks: readonly Block[], inside: ReadonlyMap<Element, Inside>): Element | undefined {
  let element: Element | undefined = blocks[0]?.container;
  while (element?.parentElement && inside.has(element.parentElement)) element = element.parentElement;
  return element;
}

/** How many steps up from the end of the chain it branches off; 0 inside of its last element. */
function distanceTo(block: Block, chain: ReadonlySet<Element>): number {
  let element: Element | null = block.container;
  while (element && !chain.has(element)) element = element.parentElement;
  let depth = 0;
  for (const link of chain) {
    depth += 1;
    if (link === element) return chain.size - depth;
  }
  return FAR;
}

function pageFeatures(blocks: readonly Block[], facts: PageFacts): number[] {
  const sum = (of: (block: Block) => number) => blocks.reduce((total, block) => total + of(block), 0);
  const words = sum((block) => block.words);
  const chars = sum((block) => block.chars);
  const has = (mark: Mark) => {
    const at = MARKS.indexOf(mark);
    return sum((block) => (block.marks[at] === NEVER ? 0 : block.words)) / Math.max(1, words);
  };
  const path = URL.canParse(facts.url) ? new URL(facts.url) : null;
  const steps = path?.pathname.split('/').filter(Boolean) ?? [];
  return [
    blocks.length,
    words,
    sum((block) => block.linkChars) / Math.max(1, chars),
    sum((block) => (isProse(block) ? block.words : 0)) / Math.max(1, words),
    sum((block) => (isProse(block) ? 1 : 0)),
    sum((block) => (/[$€£]\s?\d/.test(block.text.slice(0, 200)) ? 1 : 0)),
    sum((block) => (block.container.tagName === 'PRE' ? 1 : 0)),
    sum((block) => Number(headingLevel(block) === 1)),
    sum((block) => Number(headingLevel(block) === 2 || headingLevel(block) === 3)),
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
