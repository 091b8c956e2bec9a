/**
 * `srcset` and `sizes` as the HTML standard parses them, and the candidate that a browser chooses
 * in a window of 1280 pixels at one device pixel per pixel.
 */
export interface SrcsetCandidate {
  url: string;
  /** Pixels, from `640w`. */
  width: number | null;
  /** From `2x`; 1 if neither is given. */
  density: number;
}

const WINDOW_WIDTH = 1280;
/** Bounds a hostile attribute; real ones have under 20. */
const MAX_CANDIDATES = 100;

/** A URL may hold commas (`data:`, `/w_300,h_200/`): only white space or a final comma ends it. */
export function parseSrcset(value: string): SrcsetCandidate[] {
  const candidates: SrcsetCandidate[] = [];
  let at = 0;
  while (candidates.length < MAX_CANDIDATES) {
    while (at < value.length && isSeparator(value[at])) at += 1;
    if (at >= value.length) break;
    const from = at;
    while (at < value.length && !isBlank(value[at])) at += 1;
    let to = at;
    while (to > from && value[to - 1] === ',') to -= 1;
    const url = value.slice(from, to);
    let descriptors = '';
    if (to === at) {
      const start = at;
      at = endOfDescriptors(value, at);
      descriptors = value.slice(start, at);
    }
    for (const each of splitJoined(url)) candidates.push({ url: each, ...readDescriptors(descriptors) });
  }
  return candidates;
}

/** `a.jpg,https://host/b.jpg`: without a blank the standard reads one URL, which nobody means. */
const splitJoined = (url: string): string[] =>
  /^data:/i.test(url) ? [url] : url.split(/,(?=https?:\/\/)/i).slice(0, MAX_CANDIDATES);

function endOfDescriptors(value: string, from: number): number {
  let depth = 0;
  let at = from;
  for (; at < value.length; at += 1) {
    if (value[at] === '(') depth += 1;
    if (value[at] === ')') depth -= 1;
    if (value[at] === ',' && depth <= 0) break;
  }
  return at;
}

function readDescriptors(text: string): Pick<SrcsetCandidate, 'width' | 'density'> {
  let width: number | null = null;
  let density = 1;
  for (const descriptor of text.slice(0, 200).trim().split(/\s+/)) {
    const number = Number(descriptor.slice(0, -1));
    if (!(number > 0)) continue;
    if (/w$/i.test(descriptor)) width = number;
    if (/x$/i.test(descriptor)) density = number;
  }
  return { width, density };
}

/** Null if there is no candidate that `isUsable`. */
export function chooseCandidate(
  srcset: string,
  sizes: string | null,
  isUsable: (url: string) => boolean,
): string | null {
  const candidates = parseSrcset(srcset).filter(({ url }) => isUsable(url));
  const slot = slotWidth(sizes);
  const densityOf = ({ width, density }: SrcsetCandidate) => (width === null ? density : width / slot);
  let best: SrcsetCandidate | null = null;
  for (const candidate of candidates) {
    if (best === null || isBetter(densityOf(candidate), densityOf(best))) best = candidate;
  }
  return best?.url ?? null;
}

/** The lowest density that is enough, else the highest. */
const isBetter = (one: number, other: number): boolean =>
  one >= 1 ? other < 1 || one < other : other < 1 && one > other;

/** Width of the image in pixels: the first entry of `sizes` whose media condition holds. */
function slotWidth(sizes: string | null): number {
  for (const entry of (sizes ?? '').slice(0, 300).split(',')) {
    const [, condition = '', length = ''] = /^\s*((?:.*\))?)\s*(\S*)\s*$/s.exec(entry) ?? [];
    if (!holds(condition)) continue;
    const [, number, unit] = /^(\d+(?:\.\d+)?)(px|vw|r?em)$/i.exec(length) ?? [];
    if (!number || !unit) continue;
    const pixels = Number(number) * (PIXELS[unit.toLowerCase()] ?? 1);
    if (pixels > 0) return pixels;
  }
  return WINDOW_WIDTH;
}

const PIXELS: Record<string, number> = { px: 1, vw: WINDOW_WIDTH / 100, em: 16, rem: 16 };

/** Whether a media query holds in our window. Only widths are read; anything else counts as true. */
export function holds(query: string | null): boolean {
  for (const [, bound, number, unit] of (query ?? '')
    .slice(0, 500)
    .matchAll(/\((min|max)-width:\s*(\d+(?:\.\d+)?)(px|r?em)\)/gi)) {
    const pixels = Number(number) * (PIXELS[unit?.toLowerCase() ?? ''] ?? 1);
    if (bound?.toLowerCase() === 'min' ? WINDOW_WIDTH < pixels : WINDOW_WIDTH > pixels) return false;
  }
  return !/^\s*print\b|prefers-color-scheme:\s*dark/i.test(query ?? '');
}

const isBlank = (character: string | undefined): boolean => character !== undefined && /\s/.test(character);
const isSeparator = (character: string | undefined): boolean => character === ',' || isBlank(character);
