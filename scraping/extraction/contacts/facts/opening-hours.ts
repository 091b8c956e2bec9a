import { type Entity, entitiesIn, propertyTexts } from '../entities.ts';
import type { Finding } from '../finding.ts';
import { type Line, withoutIcons } from '../page-lines.ts';
import { excerpt } from '../snippet.ts';
import { isBusiness } from '../structured-contacts.ts';

/** Opening hours as schema.org writes them: `Mo-Fr 09:00-18:00`, `Sa,Su off`. */
export function findOpeningHours(lines: readonly Line[], entities: readonly Entity[]): Finding[] {
  const structured = entities.filter(isBusiness).flatMap(structuredHours);
  if (structured.length > 0) return distinct(structured);
  const texts = lines.map(({ text }) => withoutIcons(text));
  const found: Finding[] = [];
  texts.forEach((text, at) => {
    if (text.length > LONGEST_LINE) return;
    const value =
      parseHours(text) ?? (/\d/.test(text) ? null : parseHours(`${text} ${texts[at + 1] ?? ''}`, text));
    for (const hours of value ?? [])
      found.push({
        ...{ field: 'opening_hours', value: hours, method: 'text' },
        ...{ snippet: excerpt(`${texts[at - 1] ?? ''} ${text}`), confidence: 0.7 },
      });
  });
  return distinct(found);
}

const LONGEST_LINE = 300;
const MAX_ENTRIES = 21;

const distinct = (found: readonly Finding[]): Finding[] =>
  [...new Map(found.map((finding) => [finding.value, finding])).values()].slice(0, MAX_ENTRIES);

const DAYS = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'] as const;
/** The names of each day, in full and short, in a dozen languages. */
const DAY_NAMES = [
  'monday|mon|mo|montags?|lundi|lun|luned[ìi]|lunes|segunda(?:-feira)?|seg|maandag|ma|poniedzia[łl]ek|pon?|pn|pond[ěe]l[íi]|mandag|man|måndag|mån|понедельник|пн|pazartesi|pzt|hétfő|maanantai|月(?:曜日?)?|월(?:요일)?|周一|星期一',
  'tuesday|tues?|tu|dienstags?|di|mardi|mar|marted[ìi]|martes|ter[çc]a(?:-feira)?|ter|dinsdag|wtorek|wt|[úu]ter[ýy]|[úu]t|tirsdag|tir|tisdag|tis|вторник|вт|sal[ıi]|kedd|tiistai|ti|火(?:曜日?)?|화(?:요일)?|周二|星期二',
  'wednesday|wed|we|mittwochs?|mi|mercredi|mer|mercoled[ìi]|mi[ée]rcoles|mi[ée]|quarta(?:-feira)?|qua|woensdag|wo|[śs]roda|[śs]r|st[řr]eda|st|onsdag|ons?|среда|ср|[çc]ar[şs]amba|szerda|keskiviikko|ke|水(?:曜日?)?|수(?:요일)?|周三|星期三',
  'thursday|thurs?|thu|th|donnerstags?|do|jeudi|jeu|gioved[ìi]|gio|jueves|jue|quinta(?:-feira)?|qui|donderdag|czwartek|czw?|[čc]tvrtek|[čc]t|torsdag|tors?|четверг|чт|per[şs]embe|csütörtök|torstai|to|木(?:曜日?)?|목(?:요일)?|周四|星期四',
  'friday|fri|fr|freitags?|vendredi|ven|venerd[ìi]|viernes|vie|sexta(?:-feira)?|sex|vrijdag|vr|pi[ąa]tek|pt|p[áa]tek|p[áa]|fredag|fre|пятница|пт|cuma|péntek|perjantai|pe|金(?:曜日?)?|금(?:요일)?|周五|星期五',
  'saturday|sat|sa|samstags?|sonnabends?|samedi|sam|sabato|sab|s[áa]bado|s[áa]b|zaterdag|za|sobota|sob?|so(?=bota)|l[øo]rdag|lør|lördag|lör|суббота|сб|cumartesi|szombat|lauantai|la|土(?:曜日?)?|토(?:요일)?|周六|星期六',
  'sunday|sun|su|sonntags?|so|dimanche|dim|domenica|dom|domingo|zondag|zo|niedziela|niedz?|nd|ned[ěe]le|ne|s[øö]ndag|s[øö]n|воскресенье|вс|pazar|vasárnap|sunnuntai|日(?:曜日?)?|일(?:요일)?|周日|星期日',
] as const;
const ANY_DAY = `(?:${DAY_NAMES.join('|')})`;
const DAY_TESTS = DAY_NAMES.map((names) => new RegExp(`^(?:${names})$`, 'iu'));
const dayIndex = (text: string): number =>
  DAY_TESTS.findIndex((test) => test.test(text.trim().replace(/\.$/, '')));

const TO =
  '(?:\\s?(?:-|–|—|−|~|〜|から|부터|至)\\s?|\\s(?:to|through|thru|until|bis(?:\\seinschl\\.)?|au?|al?|alle|até|[aà]s?|t/m|tot|do|till|til|по|до|ile)\\s)';
const DAY_GROUP = `${ANY_DAY}\\.?(?:${TO}${ANY_DAY}\\.?)?(?:\\s?(?:,|&|\\+|/|und|and|et|e|y|en|og|och|i|・)\\s?${ANY_DAY}\\.?(?:${TO}${ANY_DAY}\\.?)?){0,6}`;
const TIME = '(?:2[0-4]|[01]?\\d)(?!\\d)(?:\\s?[:.h：]\\s?[0-5]\\d|h|時|시)?\\s?(?:[ap]\\.?m\\.?|uhr|h)?';
const TIMES = `${TIME}\\s?${TO}\\s?${TIME}`;
const CLOSED =
  'closed|geschlossen|ruhetag|ferm[ée]e?|chiuso|cerrado|fechado|gesloten|nieczynne|zamkni[ęe]te|zav[řr]eno|lukket|st[äa]ngt|выходной|kapal[ıi]|suljettu|定休日?|休(?:業|館|診)?|휴무|休息';
const ENTRY = new RegExp(
  `(?<![\\p{L}\\d])(?<days>${DAY_GROUP})(?![\\p{Ll}])[\\s:：,|-]{0,4}(?:(?:von|from|de|dalle|das|van|od|kl\\.?|c|с|от)\\s)?(?:(?<times>${TIMES}(?:\\s?(?:,|;|&|\\+|/|und|and|et|e|y|en|og|och|i)?\\s?${TIMES}){0,2})|(?<closed>${CLOSED}))(?![\\p{L}\\d])`,
  'giu',
);

/** Null unless the text has days with hours. @param head the days must be in this part */
function parseHours(text: string, head = text): string[] | null {
  const entries: string[] = [];
  for (const match of text.slice(0, 2 * LONGEST_LINE).matchAll(ENTRY)) {
    if (match.index >= head.length) break;
    const days = parseDays(match.groups?.days ?? '');
    if (days === null) continue;
    if (match.groups?.closed) entries.push(`${days} off`);
    // "Mo 3-5 items": bare numbers are hours only at the end, and of a plausible length.
    const rest = text.slice(match.index + match[0].length);
    const isBare = /^[\d\s–—-]+$/.test(match.groups?.times ?? '');
    if (isBare && (!/^\s*(?:$|[,;|)])/.test(rest) || !isLongDay(match.groups?.times ?? ''))) continue;
    const ranges = [
      ...(match.groups?.times ?? '').matchAll(new RegExp(`(${TIME})\\s?${TO}\\s?(${TIME})`, 'giu')),
    ].map(([, from = '', to = '']) => timeRange(from, to));
    if (ranges.length > 0 && ranges.every((range) => range !== null))
      entries.push(`${days} ${ranges.join(',')}`);
  }
  return entries.length > 0 ? entries : null;
}

function isLongDay(times: string): boolean {
  const [from = 0, to = 0] = [...times.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  return from >= 5 && to - from >= 2;
}

function parseDays(text: string): string | null {
  const parts: string[] = [];
  const ranges = text.replace(new RegExp(TO, 'giu'), '–');
  for (const piece of ranges.split(/\s?(?:,|&|\+|\/|・|\s(?:und|and|et|e|y|en|og|och|i)\s(?=\S))\s?/iu)) {
    const ends = piece.split('–').map((name) => dayIndex(name));
    if (ends.some((index) => index < 0) || ends.length > 2 || ends.length === 0) return null;
    const [from, to] = ends.map((index) => DAYS[index]);
    parts.push(to === undefined ? (from ?? '') : `${from}-${to}`);
  }
  return parts.join(',');
}

function timeRange(from: string, to: string): string | null {
  const isPm = /p\.?m/i.test(to);
  const start = parseTime(
    from,
    /[ap]\.?m/i.test(from)
      ? null
      : isPm && hourOf(from) < hourOf(to) && hourOf(to) < 12
        ? 'pm'
        : /[ap]\.?m/i.test(to)
          ? 'am'
          : null,
  );
  const end = parseTime(to, null);
  if (start === null || end === null || start === end) return null;
  return `${start}-${end}`;
}

const hourOf = (text: string): number => Number(/\d{1,2}/.exec(text)?.[0] ?? 0) % 12;

function parseTime(text: string, half: 'am' | 'pm' | null): string | null {
  const match = /(\d{1,2})(?:\s?[:.h：]\s?(\d{2}))?/.exec(text);
  if (!match) return null;
  const said = /p\.?m/i.test(text) ? 'pm' : /a\.?m/i.test(text) ? 'am' : half;
  let hour = Number(match[1]);
  if (said === 'pm' && hour < 12) hour += 12;
  if (said === 'am' && hour === 12) hour = 0;
  if (hour > 24) return null;
  return `${String(hour).padStart(2, '0')}:${match[2] ?? '00'}`;
}

function structuredHours(entity: Entity): Finding[] {
  const values: string[] = [];
  for (const written of propertyTexts(entity, 'openingHours').slice(0, 30))
    for (const text of written.split(/\s?[;|]\s?/)) {
      const hours =
        parseHours(text) ??
        (/^[A-Z][a-z](?:[-,][A-Z][a-z])* \d\d:\d\d-\d\d:\d\d$/.test(text) ? [text] : null);
      values.push(...(hours ?? []));
    }
  for (const rule of entitiesIn(entity, 'openingHoursSpecification').slice(0, 30)) {
    const days = propertyTexts(rule, 'dayOfWeek').flatMap((text) => {
      const index = dayIndex(text.split(/[/#:]/).at(-1) ?? '');
      return index < 0 ? [] : [index];
    });
    const [opens] = propertyTexts(rule, 'opens');
    const [closes] = propertyTexts(rule, 'closes');
    const times = /^(\d\d:\d\d)/.exec(opens ?? '') && /^(\d\d:\d\d)/.exec(closes ?? '');
    if (days.length === 0 || !times) continue;
    const [open, close] = [opens?.slice(0, 5), closes?.slice(0, 5)];
    values.push(`${daysText(days)} ${open === close && open === '00:00' ? 'off' : `${open}-${close}`}`);
  }
  return values.map((value) => ({
    ...{ field: 'opening_hours', value, method: entity.method, snippet: value, confidence: 0.95 },
  }));
}

/** Consecutive days as a range. */
function daysText(indexes: number[]): string {
  const days = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < days.length; ) {
    let last = at;
    while (days[last + 1] === (days[last] ?? 0) + 1) last += 1;
    const [from, to] = [DAYS[days[at] ?? 0], DAYS[days[last] ?? 0]];
    if (last - at >= 2) parts.push(`${from}-${to}`);
    else for (let one = at; one <= last; one += 1) parts.push(DAYS[days[one] ?? 0] ?? '');
    at = last + 1;
  }
  return parts.join(',');
}
