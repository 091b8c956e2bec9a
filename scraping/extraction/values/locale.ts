import { parseUrl } from '../../../core/parse-url.ts';
import { selectFirst } from '../document/dom.ts';

/** What the notation of a page's numbers and dates depends on. */
export interface Notation {
  /** BCP 47, of the element or the page; null if nothing says it. */
  language: string | null;
  /** Whether day or month comes first in the page's other dates; null if they do not tell. */
  order?: 'dmy' | 'mdy' | null;
}

/** Languages of countries with one, by top-level domain: a page without `lang` is likely in it. */
const LANGUAGES: Readonly<Record<string, string>> = {
  ...{
    de: 'de-DE',
    at: 'de-AT',
    ch: 'de-CH',
    fr: 'fr-FR',
    it: 'it-IT',
    es: 'es-ES',
    pt: 'pt-PT',
    br: 'pt-BR',
  },
  ...{
    nl: 'nl-NL',
    pl: 'pl-PL',
    se: 'sv-SE',
    dk: 'da-DK',
    no: 'nb-NO',
    fi: 'fi-FI',
    cz: 'cs-CZ',
    sk: 'sk-SK',
  },
  ...{
    hu: 'hu-HU',
    ro: 'ro-RO',
    gr: 'el-GR',
    tr: 'tr-TR',
    ru: 'ru-RU',
    ua: 'uk-UA',
    bg: 'bg-BG',
    hr: 'hr-HR',
  },
  ...{
    si: 'sl-SI',
    ee: 'et-EE',
    lt: 'lt-LT',
    lv: 'lv-LV',
    jp: 'ja-JP',
    kr: 'ko-KR',
    cn: 'zh-CN',
    tw: 'zh-TW',
  },
  ...{
    uk: 'en-GB',
    ie: 'en-IE',
    au: 'en-AU',
    nz: 'en-NZ',
    in: 'en-IN',
    us: 'en-US',
    mx: 'es-MX',
    ar: 'es-AR',
  },
  ...{ cl: 'es-CL', co: 'es-CO', za: 'en-ZA', id: 'id-ID', vn: 'vi-VN', th: 'th-TH', il: 'he-IL' },
};

/** By the page's `lang` or metadata, else by its domain; with the domain's region. */
export function pageLanguage(document: Document, url: string): string | null {
  const byDomain = LANGUAGES[parseUrl(url)?.hostname.split('.').at(-1) ?? ''] ?? null;
  const named = document.documentElement?.getAttribute('lang');
  const meta = selectFirst(document, 'meta[http-equiv="content-language"], meta[property="og:locale"]');
  const language = canonical(named) ?? canonical(meta?.getAttribute('content'));
  return language ? withRegion(language, byDomain) : byDomain;
}

/** By the closest `lang`, else the page's. */
export function elementLanguage(element: Element, ofPage: string | null): string | null {
  let at: Element | null = element;
  for (let level = 0; at && level < MAX_LEVELS; level += 1, at = at.parentElement) {
    const language = at.tagName === 'HTML' ? null : canonical(at.getAttribute('lang'));
    if (language) return withRegion(language, ofPage);
  }
  return ofPage;
}

const MAX_LEVELS = 50;

function canonical(text: string | null | undefined): string | null {
  if (!text) return null;
  try {
    return Intl.getCanonicalLocales(text.trim().slice(0, 35).replace(/_/g, '-'))[0] ?? null;
  } catch {
    return null;
  }
}

/** `en` on a British domain is British. */
const withRegion = (language: string, byDomain: string | null): string =>
  byDomain?.startsWith(`${language}-`) ? byDomain : language;

const marks = new Map<string, { group: string; decimal: string } | null>();

/** Marks between thousands and before decimals in a language; null for an unknown one. */
export function numberMarks(language: string | null): { group: string; decimal: string } | null {
  if (language === null) return null;
  const known = marks.get(language);
  if (known !== undefined) return known;
  let found: { group: string; decimal: string } | null = null;
  if (Intl.NumberFormat.supportedLocalesOf(language).length > 0) {
    const parts = new Intl.NumberFormat(`${language}-u-nu-latn`).formatToParts(1_234_567.5);
    const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
    found = { group: of('group'), decimal: of('decimal') };
  }
  // A hostile page may name any number of languages.
  if (marks.size < 500) marks.set(language, found);
  return found;
}
