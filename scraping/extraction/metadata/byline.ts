import { collapseSpaces, readText, select, selectFirst } from '../document/dom.ts';
import { dateIn } from '../values/date.ts';
import { pageLanguage } from '../values/locale.ts';
import type { MetaTags } from './meta-tags.ts';
import { flattenThings, isOfType, type Thing } from './structured-data.ts';

/**
 * Where a byline (authors, dates) is read from; `authors.ts` reads the authors. A wrong byline is worse than none, so nothing is
 * guessed.
 */
export interface BylineSource {
  document: Document;
  tags: MetaTags;
  jsonLd: readonly unknown[] | undefined;
  siteName: string | undefined;
  url: string;
}

const WRITTEN =
  /^(\w*Article|BlogPosting|Report|Review|DiscussionForumPosting|SocialMediaPosting|Question|QAPage|WebPage|CreativeWork|HowTo|Recipe|VideoObject)$/;
export const ARTICLE = /^(\w*Article|BlogPosting|Report|DiscussionForumPosting|SocialMediaPosting|Question)$/;

/** Characters of a possible date with the text around it. */
const LONGEST = 500;

export const stringIn = (value: unknown): string | undefined => {
  const [first] = [value].flat();
  return typeof first === 'string' ? first : undefined;
};

/** Articles first: page chrome often has dates of its own. */
export function writtenThings({ jsonLd }: BylineSource): Thing[] {
  const things = flattenThings(jsonLd).filter((thing) => isOfType(thing, WRITTEN));
  return [
    ...things.filter((thing) => isOfType(thing, ARTICLE)),
    ...things.filter((thing) => !isOfType(thing, ARTICLE)),
  ];
}

export const isArticle = (source: BylineSource): boolean =>
  writtenThings(source).some((thing) => isOfType(thing, ARTICLE));

/** ISO 8601 as the page has it, or a day (`YYYY-MM-DD`); undefined if the page has none. */
export function findPublished(source: BylineSource): string | undefined {
  const { document, tags } = source;
  const attempts = [
    () => writtenThings(source).map((thing) => stringIn(thing.datePublished ?? thing.dateCreated)),
    () => PUBLISHED.map((name) => tags.get(name)),
    () =>
      select(document, '[itemprop="datePublished"], [itemprop="dateCreated"], time[pubdate]').map(
        readTimestamp,
      ),
    () => findTimes(document),
    () => [dayInPath(source.url)],
    () => [dayInByline(document)],
  ];
  for (const attempt of attempts) {
    const moment = attempt()
      .map(momentIn(document, source.url))
      .find((found) => found !== undefined);
    if (moment !== undefined) return moment;
  }
  return undefined;
}

export function findModified(source: BylineSource): string | undefined {
  const candidates = [
    ...writtenThings(source).map((thing) => stringIn(thing.dateModified)),
    ...MODIFIED.map((name) => source.tags.get(name)),
    ...select(source.document, '[itemprop="dateModified"]').map(readTimestamp),
  ];
  return candidates.map(momentIn(source.document, source.url)).find((moment) => moment !== undefined);
}

const PUBLISHED = [
  'article:published_time',
  'og:published_time',
  'datepublished',
  'date',
  'dc.date',
  'dc.date.issued',
  'dcterms.created',
  'pubdate',
  'publishdate',
  'publish_date',
  'parsely-pub-date',
  'sailthru.date',
  'article:published',
];
const MODIFIED = [
  'article:modified_time',
  'og:updated_time',
  'datemodified',
  'last-modified',
  'dcterms.modified',
];

const readTimestamp = (element: Element): string | undefined =>
  element.getAttribute('content') ??
  element.getAttribute('datetime') ??
  element.querySelector('time[datetime]')?.getAttribute('datetime') ??
  collapseSpaces(readText(element));

/** The first time of the main text; in a forum the first of many is the page's own. */
function findTimes(document: Document): (string | undefined)[] {
  if (!selectFirst(document, STAMPED)) return [];
  const scopes = ['main article', 'article', 'main', '[role="main"]', 'body'];
  const scope = scopes
    .map((selector) => selectFirst(document, selector))
    .find((found) => found && selectFirst(found, STAMPED));
  const time = scope && selectFirst(scope, STAMPED);
  return [time?.getAttribute('datetime') ?? undefined];
}

const STAMPED = 'time[datetime]';

function dayInPath(url: string): string | undefined {
  const found = /\/(20\d\d|19\d\d)[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)/.exec(url);
  return found ? toDay(found[1], found[2], found[3]) : undefined;
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';
const WRITTEN_DAY = new RegExp(
  `${MONTH}\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+((?:19|20)\\d\\d)|(\\d{1,2})(?:st|nd|rd|th)?\\s+${MONTH},?\\s+((?:19|20)\\d\\d)`,
  'i',
);

/** A date written out in an element whose class marks it as the page's own. */
function dayInByline(document: Document): string | undefined {
  const marked = select(
    document,
    '[class*="publish"], [class*="post-date"], [class*="entry-date"], [class*="byline"], [class*="article-date"], [class*="post-meta"], [class*="entry-meta"], [class="date"]',
  );
  for (const element of marked.slice(0, 10)) {
    const text = collapseSpaces(readText(element));
    if (text.length < 300 && WRITTEN_DAY.test(text)) return text;
  }
  return undefined;
}

/** Parses the dates of a page, in its language: a day, or a machine-readable moment as it is. */
function momentIn(document: Document, url: string): (text: string | undefined) => string | undefined {
  let language: string | null | undefined;
  return (text) => {
    if (!text) return undefined;
    const known = parseIsoDate(text) ?? parseEnglishDay(text);
    if (known !== undefined) return known;
    language ??= pageLanguage(document, url);
    return dateIn(text, { language }) ?? undefined;
  };
}

/** A machine-readable date or time, as it is. `null` and zero dates from templates give undefined. */
export function parseIsoDate(text: string): string | undefined {
  const value = text.trim().slice(0, LONGEST);
  const iso = /^((?:19|20)\d\d)-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d\d.{0,20})?$/.exec(value);
  if (iso) return toDay(iso[1], iso[2], iso[3]) ? value.replace(' ', 'T') : undefined;
  const compact = /^((?:19|20)\d\d)[/.]?(\d\d)[/.]?(\d\d)(?!\d)/.exec(value);
  return compact ? toDay(compact[1], compact[2], compact[3]) : undefined;
}

function parseEnglishDay(text: string): string | undefined {
  const written = WRITTEN_DAY.exec(text.slice(0, LONGEST));
  if (!written) return undefined;
  const month = MONTHS.indexOf((written[1] ?? written[5] ?? '').slice(0, 3).toLowerCase()) + 1;
  return toDay(written[3] ?? written[6], String(month), written[2] ?? written[4]);
}

function toDay(year = '', month = '', date = ''): string | undefined {
  const day = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date)));
  // 31 June would be 1 July.
  const exists = day.getUTCMonth() === Number(month) - 1 && day.getUTCDate() === Number(date);
  return exists ? day.toISOString().slice(0, 10) : undefined;
}
