import { decodeUri } from '../../../../core/text.ts';
import { EXAMPLE } from '../emails.ts';
import type { Finding } from '../finding.ts';
import type { PageElements } from '../page-elements.ts';
import { FAX_ICON, type Line, PHONE_ICON, withoutIcons } from '../page-lines.ts';
import { parseCountry } from '../places.ts';
import { around, excerpt } from '../snippet.ts';
import type { OwnContent } from '../third-parties/third-party-filter.ts';
import { isOtherNumber, isOtherShape, namesOtherNumber, UNIT_AFTER } from './other-numbers.ts';
import { parsePhone } from './phone-numbers.ts';

/** A phone number on a page, and how its context labels it. */
interface PhoneMention {
  value: string;
  kind: Kind | null;
  confidence: number;
  snippet: string;
  method: string;
}
type Kind = 'phone' | 'fax' | 'both';

/**
 * Phones and faxes in a page's text and links.
 *
 * @param countries likely countries of numbers without a calling code, most likely first
 */
export function findPhones(
  page: PageElements,
  { lines, foreign }: OwnContent,
  countries: readonly string[],
): Finding[] {
  const links = page.links.filter((link) => !foreign.has(link));
  const mentions = [...textMentions(lines, countries), ...linkMentions(links, countries)];
  const faxes = new Set<string>();
  const phones = new Set<string>();
  for (const { value, kind } of mentions) {
    if (kind === 'fax' || kind === 'both') faxes.add(value);
    if (kind === 'phone' || kind === 'both') phones.add(value);
  }
  return mentions.flatMap(({ value, kind, ...finding }): Finding[] => {
    // An unlabelled mention of a number that is labelled as fax elsewhere is a fax too.
    const is = kind ?? (faxes.has(value) && !phones.has(value) ? 'fax' : 'phone');
    const fields = is === 'both' ? (['phone', 'fax'] as const) : ([is] as const);
    return fields.map((field) => ({ field, value, ...finding }));
  });
}

/** Links that dial. Their text is in the lines too, where its context tells whether it is a fax. */
function linkMentions(links: readonly Element[], countries: readonly string[]): PhoneMention[] {
  const found: PhoneMention[] = [];
  for (const link of links) {
    const href = link.getAttribute('href')?.trim().slice(0, LONGEST_LINK) ?? '';
    const scheme =
      /^(tel|callto|sms|fax):/i.exec(href)?.[1]?.toLowerCase() ?? (WHATSAPP.test(href) ? 'whatsapp' : null);
    if (scheme === null) continue;
    const written =
      scheme === 'whatsapp'
        ? `+${WHATSAPP.exec(href)?.[1] ?? ''}`
        : decodeUri(href.slice(scheme.length + 1))
            .replace(/^\/\//, '')
            .split(/[;?,]/)[0];
    const number = parsePhone(written ?? '', countries);
    if (!number) continue;
    const kind = scheme === 'fax' ? 'fax' : scheme === 'tel' || scheme === 'callto' ? null : 'phone';
    found.push({
      value: number.value,
      kind,
      method: scheme === 'callto' ? 'tel' : scheme,
      snippet: excerpt(link.textContent || href),
      confidence: 0.95,
    });
  }
  return found;
}

/** Longer links dial no number. */
const LONGEST_LINK = 2000;

const WHATSAPP =
  /^(?:https?:\/\/(?:wa\.me\/|(?:api|web)\.whatsapp\.com\/send\/?\?(?:[^#]*&)?phone=)|whatsapp:\/\/send\/?\?(?:[^#]*&)?phone=)(?:\+|%2B)?(\d{7,15})/i;

/** A run of digits with separators, or an American number in letters. */
const CANDIDATE =
  /(?:\+\s?|\(\s?\+?\s?)?\d(?:[\d\u00a0]|[ .\-–—‐‑/()·+]{1,3}(?=[\d(])|\)\s?(?=\d)){5,40}(?<=\d)|\b1?[-. ]?\(?8(?:00|33|44|55|66|77|88)\)?[-. ](?=[\d-]{0,8}[A-Z]{2})[A-Z\d]{2,8}(?:-?[A-Z\d]{2,8}){0,2}\b/g;

function textMentions(lines: readonly Line[], countries: readonly string[]): PhoneMention[] {
  const found: PhoneMention[] = [];
  const columns = columnLabels(lines);
  lines.forEach(({ text }, at) => {
    if (!/\d[\d\s().\-–—‐‑/+·]{4}/.test(text) && !/\b8(?:00|33|44|55|66|77|88)\b/.test(text)) return;
    const from = [...countriesNamedAbove(lines, at), ...countries];
    const places = [...text.matchAll(CANDIDATE)].flatMap((match) =>
      numbersIn(match[0], match.index, text, from),
    );
    // `(P) 555-0123 (F) 555-0124`: each bracket is about the number after it.
    const bracketsLead = /[([]\s?\p{L}{1,10}\.?\s?[)\]]\s?[:.]?\s?$/u.test(
      text.slice(0, places[0]?.start ?? 0),
    );
    let previous: Kind | null = null;
    places.forEach((place, nth) => {
      const before = text.slice(places[nth - 1]?.end ?? 0, place.start);
      const after = text.slice(place.end, places[nth + 1]?.start ?? text.length);
      const label: Kind | null =
        columns.get(at) ??
        findLabel(
          before,
          after,
          nth === 0 ? lines.slice(Math.max(0, at - 2), at).map((line) => line.text) : null,
          { bracketsLead, hasNext: nth < places.length - 1 },
        ) ??
        (nth > 0 && ALTERNATIVE.test(before) ? previous : null);
      previous = label;
      const isNamed = /^\s*(?:[A-Z]{2,3}[\s-]?)?$/.test(withoutIcons(before)) && label === null && nth === 0;
      if (isNamed && namesOtherNumber(withoutIcons(lines[at - 1]?.text ?? ''))) return;
      const confidence = scorePhone(place, before, after, label);
      if (confidence === null) return;
      const visible = withoutIcons(text);
      const start = Math.max(0, place.start - (text.length - visible.length));
      found.push({
        value: place.value,
        kind: label,
        method: 'text',
        confidence,
        snippet: around(visible, start, start + place.written.length),
      });
    });
  });
  return found;
}

/** `Fax 555-0124 or 555-0126` */
const ALTERNATIVE = /^\s?(?:or|and|&|\/|und|oder|ou|et|o|y|e|of|en|lub|nebo)\s?$/i;

/**
 * Labels of a table's head, by the lines of the cells below: as many lines of one label each as
 * lines of one number each after them.
 */
function columnLabels(lines: readonly Line[]): Map<number, Kind> {
  const found = new Map<number, Kind>();
  for (let at = 0; at < lines.length; at += 1) {
    const kinds: Kind[] = [];
    while (kinds.length < 6) {
      const kind = onlyLabel(lines[at + kinds.length]?.text ?? '');
      if (!kind) break;
      kinds.push(kind);
    }
    const first = at + kinds.length;
    if (kinds.length >= 2) {
      const isRow = kinds.every((_, nth) => ONLY_NUMBER.test(lines[first + nth]?.text ?? ''));
      const ends = !ONLY_NUMBER.test(lines[first + kinds.length]?.text ?? '');
      if (isRow && ends) for (const [nth, kind] of kinds.entries()) found.set(first + nth, kind);
    }
    if (kinds.length > 0) at = first - 1;
  }
  return found;
}

const ONLY_NUMBER = /^\+?[\d\s()./-]{7,25}$/;

function onlyLabel(text: string): Kind | null {
  if (text.length > 25 || /\d/.test(text)) return null;
  const labels = labelsIn(text).filter(({ isIcon }) => !isIcon);
  return labels.length === 1 ? (labels[0]?.kind ?? null) : null;
}

/** A list of offices names the country above the number. */
function countriesNamedAbove(lines: readonly Line[], at: number): string[] {
  for (let above = at; above >= Math.max(0, at - 3); above--) {
    const text = lines[above]?.text ?? '';
    const country = text.length <= 60 ? parseCountry(text.split(/,|\s[-–]\s/).at(-1) ?? '') : null;
    if (country) return [country];
  }
  return [];
}

interface NumberSpan {
  written: string;
  value: string;
  start: number;
  end: number;
  international: boolean;
}

/**
 * A run may contain two numbers (`212-555-0100/0101`, `555 1234 - 555 1235`): tries the whole
 * first, then its parts.
 */
function numbersIn(run: string, start: number, text: string, countries: readonly string[]): NumberSpan[] {
  const before = text[start - 1] ?? '';
  const behind = text[start + run.length] ?? '';
  if (
    /[\p{L}\d_#@$€£¥=%]/u.test(before) ||
    /[\p{L}_@%€£]/u.test(behind) ||
    (before === '.' && /\d/.test(text[start - 2] ?? ''))
  )
    return [];
  const isPair = run.length > 18 && /\d\s?[/–—]\s?[\d(+]/.test(run);
  const whole = isPair ? null : readPhone(run, start, countries);
  if (whole) return [whole];
  const found: NumberSpan[] = [];
  for (const separator of [/ ?[/–—] ?| - | {2,}/g, /(?<=\d) (?=\(\d{3}\)|\+\d|1[-.]8)/g]) {
    let at = 0;
    for (const part of [...run.matchAll(separator), null]) {
      const end = part?.index ?? run.length;
      const piece = run.slice(at, end);
      const number = piece.length >= 7 && piece !== run ? readPhone(piece, start + at, countries) : null;
      if (number) found.push(number);
      at = end + (part?.[0].length ?? 0);
    }
    if (found.length > 0) break;
  }
  const alone = isPair && found.length === 0 ? readPhone(run, start, countries) : null;
  return alone ? [alone] : found;
}

function readPhone(run: string, start: number, countries: readonly string[]): NumberSpan | null {
  if (isOtherShape(run.trim())) return null;
  const open = (run.match(/\(/g) ?? []).length - (run.match(/\)/g) ?? []).length;
  if (open !== 0 && !/^\(\s?\+/.test(run)) return null;
  const number = parsePhone(run, countries);
  if (!number) return null;
  return {
    written: run,
    value: number.value,
    start,
    end: start + run.length,
    international: /^\(?\s?(?:\+|00[1-9])/.test(run),
  };
}

const FAX_WORD =
  'fx(?=\\s?[:.])|facs(?=\\s?[:.])|(?:tele|e)?-?fax(?:es|\\s?(?:no|nr|number|line|num[eé]ro|nummer|machine))?|facsimile|fascimile|t[ée]l[ée]copie(?:ur)?|faks|faxe|факс|φαξ|φάξ|传真|傳真|ファックス|ファクス|팩스|فاكس|פקס';
const PHONE_WORD =
  'tele?phones?|phones?|tele?fono?n?s?|t[ée]l[ée]phones?|tel[ée]fono|telefone?|telefon|telefoon|telef[oó]n|puhelin|puh|tel|t[ée]l|tlf|tfno|toll[ -]?free|free ?phone|call(?:ing)?|mobile?|mobil|m[óo]vil|celular|cell(?:ular)?|handy|gsm|whats ?app|sms|text|contact n(?:umber|o)|phone n(?:umber|o)|enquir(?:y|ies)|inquir(?:y|ies)|hotline|helpline|direct|switchboard|local|office|main|voice|reception|sales|support|service|customer|emergency|ph|телефон|тел|моб|τηλ|电话|電話|전화|هاتف|טלפון';
const LABELS = new RegExp(
  `(?<![\\p{L}\\d])(?:(?<fax>${FAX_WORD}|F(?=\\s?[:.)]|\\s?$))|(?<phone>${PHONE_WORD}|[TPMOD](?=\\s?[:.)]|\\s?$)))(?![\\p{L}])|(?<faxIcon>${FAX_ICON})|(?<phoneIcon>${PHONE_ICON})`,
  'giu',
);

interface Label {
  kind: 'phone' | 'fax';
  /** From an image or a class name: written labels take precedence. */
  isIcon: boolean;
  start: number;
  end: number;
}

function labelsIn(text: string): Label[] {
  return [...text.matchAll(LABELS)].map((match) => ({
    kind: match.groups?.fax !== undefined || match.groups?.faxIcon !== undefined ? 'fax' : 'phone',
    isIcon: match[0] === FAX_ICON || match[0] === PHONE_ICON,
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** Maximum distance of a label before its number: `Fax (Mon-Fri, office hours): 555 0100`. */
const REACH = 40;

/**
 * The label of a number: in brackets directly after it, the last before it, the first after it, or
 * in the lines above.
 *
 * @param before text since the previous number of the line; `after`: up to the next number
 * @param above the lines above, if this is the first number of its line; else null
 */
function findLabel(
  before: string,
  after: string,
  above: readonly string[] | null,
  { bracketsLead, hasNext }: { bracketsLead: boolean; hasNext: boolean },
): Kind | null {
  const bracketed = bracketsLead
    ? undefined
    : /^\s?(?:ext\.?\s?\d+\s?)?[([]([^)\]]{1,30})[)\]]/.exec(after)?.[1];
  const behind = bracketed === undefined ? [] : labelsIn(bracketed);
  if (behind.some(({ kind }) => kind === 'fax')) return combineKinds(behind);

  // A bracket at the start labels the previous number.
  const own = (above || bracketsLead ? before : before.replace(/^\s?[([][^)\]]{1,30}[)\]]/, '')).slice(
    -REACH - 20,
  );
  const ahead = labelsIn(own);
  const isNear = (label: Label) =>
    own.length - label.end <= REACH && !/[.!?]\s(?!N[or]\b)[A-Z]/.test(own.slice(label.end));
  const written = ahead.filter(({ isIcon }) => !isIcon);
  const last = written.at(-1);
  if (last && isNear(last)) return lastLabelKind(written, own);
  if (behind.length > 0) return 'phone';
  const trailing = labelsIn(after.slice(0, 25))[0];
  const gap = trailing ? after.slice(0, trailing.start) : '';
  // `202.299.1148 fax`, but not `303.683.5033 Fax: 303.558.4269`.
  if (
    trailing &&
    !trailing.isIcon &&
    // `555-0123, Fax 555-0124`: behind a comma the label is the next number's.
    !(hasNext && gap.includes(',') && after.slice(trailing.end).trim().length <= 2) &&
    /^[\s\-–,|]{0,3}$/.test(gap) &&
    !/^\s?(?:no\.?|number)?\s?[:.]/i.test(after.slice(trailing.end)) &&
    (after.slice(trailing.end).trim().length > 2 || above !== null || ahead.length === 0)
  )
    return trailing.kind;
  if (above && withoutIcons(before).trim().length <= 3) {
    for (const line of above.slice().reverse()) {
      if (/\d{4}/.test(line)) break;
      const end = line.slice(-30);
      const named = labelsIn(end);
      if (named.length > 0) return line.length <= 40 ? lastLabelKind(named, end) : null;
      if (withoutIcons(line).trim().length > 3) break;
    }
  }
  const icon = ahead.at(-1);
  return icon && isNear(icon) ? icon.kind : null;
}

/**
 * The kind of the last label, combined with the one before it if the text joins them: `Tel/Fax`,
 * `Tel. e Fax`.
 */
function lastLabelKind(labels: readonly Label[], text: string): Kind | null {
  const [pair, last] = [labels.at(-2), labels.at(-1)];
  if (!pair || !last || pair.kind === last.kind) return last?.kind ?? null;
  // `Fax toll-free`: the second word says which line, not what it is for.
  if (
    pair.kind === 'fax' &&
    WHICH_LINE.test(text.slice(last.start, last.end)) &&
    /^[\s(-]{0,3}$/.test(text.slice(pair.end, last.start))
  )
    return 'fax';
  return JOINED.test(text.slice(pair.end, last.start)) ? 'both' : last.kind;
}

const WHICH_LINE = /^(?:toll[ -]?free|free ?phone|direct|local|office|main|sales|support|service|customer)$/i;

/** Without a colon: a number belongs after a colon, and may be missing. */
const JOINED = /^\.?\s*(?:[/&+,|–-]|and|or|und|oder|et|ou|e|y|i|o|og|och|en|ja|és|a|и|και)\s*$|^\.\s?$/iu;

function combineKinds(labels: readonly Label[]): Kind {
  const kinds = new Set(labels.map(({ kind }) => kind));
  return kinds.size === 2 ? 'both' : kinds.has('fax') ? 'fax' : 'phone';
}

/** Confidence from which on the page itself labels the number. */
export const LABELLED = 0.85;

/** Confidence, 0 to 1; null if the context rules out a phone number. */
function scorePhone(place: NumberSpan, before: string, after: string, label: Kind | null): number | null {
  const near = withoutIcons(before).slice(-40);
  if (isOtherNumber(near, label !== null) || EXAMPLE.test(near)) return null;
  if (place.international) return label ? 0.9 : 0.8;
  if (label) return LABELLED;
  const digits = place.written.replace(/\D/g, '').length;
  // Bare digits may be anything: without a label a phone notation is required.
  if (!/[\s().\-–—‐‑/]/.test(place.written.trim())) return null;
  if (digits < 8 || UNIT_AFTER.test(after)) return null;
  return 0.7;
}
