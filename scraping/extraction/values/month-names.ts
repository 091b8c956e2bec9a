/**
 * Month names of many languages, from ICU: all forms in which they stand alone or in a date. A name
 * that means different months in two languages needs the page's language.
 */
const LANGUAGES =
  'en de fr es it pt nl sv da nb fi pl cs sk hu ro el tr ru uk bg hr sr-Latn sr sl et lt lv is ca eu gl ga cy id ms vi ar he fa hi th bs mk sq az kk af sw fil'.split(
    ' ',
  );

const byLanguage = new Map<string, ReadonlyMap<string, number>>();
let everywhere: ReadonlyMap<string, number> | undefined;

/** 1 to 12; null if it is no month in the language, or in any if that is unknown. */
export function monthNamed(word: string, language: string | null): number | null {
  const name = normalized(word);
  if (name.length < 3) return null;
  const base = language?.split('-')[0] ?? '';
  return (
    (base === '' ? undefined : monthsOf(language ?? base).get(name)) ??
    monthsOf('en').get(name) ??
    allMonths().get(name) ??
    null
  );
}

function monthsOf(language: string): ReadonlyMap<string, number> {
  const known = byLanguage.get(language);
  if (known) return known;
  const names = new Map<string, number>();
  if (isKnown(language)) {
    for (const options of FORMS) {
      const format = new Intl.DateTimeFormat(`${language}-u-ca-gregory-nu-latn`, {
        ...options,
        timeZone: 'UTC',
      });
      for (let month = 1; month <= 12; month += 1) {
        const parts = format.formatToParts(Date.UTC(2026, month - 1, 15));
        const name = normalized(parts.find(({ type }) => type === 'month')?.value ?? '');
        // Some languages number their months.
        if (name.length >= 3 && !/\d/.test(name) && !names.has(name)) names.set(name, month);
      }
    }
    // Shorter and longer than ICU's.
    if (/^en/.test(language)) names.set('sept', 9).set('sep', 9);
    if (/^de/.test(language))
      names.set('jänner', 1).set('jan', 1).set('märz', 3).set('mrz', 3).set('sept', 9);
  }
  // A hostile page may name any number of languages.
  if (byLanguage.size < 300) byLanguage.set(language, names);
  return names;
}

const isKnown = (language: string): boolean => {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(language).length > 0;
  } catch {
    return false;
  }
};

const FORMS: readonly Intl.DateTimeFormatOptions[] = [
  { month: 'long', day: 'numeric', year: 'numeric' },
  { month: 'long' },
  { month: 'short', day: 'numeric', year: 'numeric' },
  { month: 'short' },
];

/** Names that mean one month in all languages that have them. */
function allMonths(): ReadonlyMap<string, number> {
  if (everywhere) return everywhere;
  const months = new Map<string, number>();
  const ambiguous = new Set<string>();
  for (const language of LANGUAGES) {
    for (const [name, month] of monthsOf(language)) {
      const other = months.get(name);
      if (other !== undefined && other !== month) ambiguous.add(name);
      months.set(name, month);
    }
  }
  for (const name of ambiguous) months.delete(name);
  everywhere = months;
  return months;
}

const normalized = (name: string): string =>
  name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[.\u200e\u200f]/g, '')
    .trim();
