import { type Line, withoutIcons } from '../page-lines.ts';
import {
  CREDIT,
  FOOTER_CREDIT,
  IMPRINT,
  LABEL,
  NAMED_PARTY,
  OFFICE_HEADING,
  OWNER_AGAIN,
  SENTENCE,
  TRADE_HEADING,
} from './labels.ts';

/** A page's lines and links, without those of other parties. */
export interface OwnContent {
  lines: Line[];
  /** Links and elements with data inside the text about other parties. */
  foreign: ReadonlySet<Element>;
}

/**
 * Separates text about third parties: the host, the web agency, the dispute body, a data-protection
 * officer. An imprint has their street, number and e-mail right beside the company's own.
 *
 * @param ownDomain a line that contains it is the site's own again
 */
export function withoutThirdParties(lines: readonly Line[], ownDomain: string | null): OwnContent {
  const own: Line[] = [];
  const foreign = new Set<Element>();
  const isImprint = lines.some(({ text }) => text.length <= 60 && IMPRINT.test(withoutIcons(text)));
  const isOwner = ownerTest(ownDomain);
  /** Lines of the third party still to skip. */
  let left = 0;
  for (const line of lines) {
    const text = withoutIcons(line.text);
    const isOwn = isOwner(text);
    const opened = partyLines(line, text, { isImprint, isOwner });
    if (opened > 0) left = opened;
    else if (left > 0 && (line.heading || isOwn || OWNER_AGAIN.test(text))) left = 0;
    if (left > 0) {
      left -= 1;
      for (const { element } of line.anchors) foreign.add(element);
      continue;
    }
    const cut = creditIn(line, isOwner);
    if (!cut) {
      own.push(line);
      continue;
    }
    const anchors = line.anchors.filter(({ at }) => at < cut.start || at >= cut.end);
    for (const { element, at } of line.anchors) if (at >= cut.start && at < cut.end) foreign.add(element);
    const kept = `${line.text.slice(0, cut.start)} ${line.text.slice(cut.end)}`.trim();
    if (kept !== '') own.push({ ...line, text: kept, anchors });
    // The agency's own lines follow where the credit ends its line.
    if (cut.start <= 3) left = cut.end - cut.credit <= 2 ? 3 : LINES_AFTER_CREDIT;
  }
  return { lines: own, foreign };
}

/**
 * Name, street, building, town, country, phone and e-mail: an imprint spends no more lines on a
 * third party.
 */
const MAX_LINES_PER_PARTY = 7;
const LINES_AFTER_CREDIT = 2;

/** How many lines, from this one on, are about a party that this line introduces. */
function partyLines(
  line: Line,
  text: string,
  { isImprint, isOwner }: { isImprint: boolean; isOwner: (text: string) => boolean },
): number {
  const named = LABEL.exec(text) ?? SENTENCE.exec(text);
  if (named) {
    const rest = text.slice(named.index + named[0].length);
    if (isOwner(rest)) return 0;
    // The party's address or number is in this line already.
    return /\d[\d ]{3}/.test(rest) ? LINES_AFTER_CREDIT + 1 : MAX_LINES_PER_PARTY;
  }
  if (text.length <= 80 && OFFICE_HEADING.test(text)) return MAX_LINES_PER_PARTY;
  if (isImprint && text.length <= 60 && TRADE_HEADING.test(text)) return MAX_LINES_PER_PARTY;
  if (line.area === 'header' || !NAMED_PARTY.test(text) || isOwner(text)) return 0;
  return text.length <= 90 ? MAX_LINES_PER_PARTY : 1;
}

/** Whether a text names the site's owner: a web agency credits itself. */
function ownerTest(ownDomain: string | null): (text: string) => boolean {
  const label = (ownDomain ?? '').split('.')[0]?.replace(/[^a-z\d]/g, '') ?? '';
  if (ownDomain === null) return () => false;
  return (text) =>
    text.toLowerCase().includes(ownDomain) ||
    (label.length >= 4 &&
      text
        .toLowerCase()
        .replace(/[^a-z\d]/g, '')
        .includes(label));
}

interface Credit {
  start: number;
  /** Where the credit's own words end. */
  credit: number;
  end: number;
}

/** "Powered by Pixel Studio" is a credit, "powered by the sun" is none. */
const NAME_OR_END = /^[\s:：|–-]*(?:[\p{Lu}\p{Lo}\d©]|www\.|https?:|l['’]|$)/u;

/** The part of a line that credits who made or hosts the site: up to the owner's next words. */
function creditIn({ text, area }: Line, isOwner: (text: string) => boolean): Credit | null {
  const match = CREDIT.exec(text) ?? (area === 'footer' ? FOOTER_CREDIT.exec(text) : null);
  if (!match) return null;
  const start = match.index;
  const credit = start + match[0].length;
  const rest = text.slice(credit);
  if (!NAME_OR_END.test(rest.slice(0, 20)) || isOwner(rest)) return null;
  const again =
    /[|•·]\s?(?=(?:©|copyright|tel|phone|fax|e-?mail|address|adresse|contact|kontakt)\b)|©|\bcopyright\b/iu.exec(
      text.slice(credit),
    );
  return { start, credit, end: again ? credit + again.index : text.length };
}
