import { createRequire } from 'node:module';
import type { Registration } from '../../../../core/leads/lead.ts';
import { type Entity, propertyTexts } from '../entities.ts';
import type { Finding } from '../finding.ts';
import { type Line, withoutIcons } from '../page-lines.ts';
import { around } from '../snippet.ts';

/**
 * VAT, register and tax numbers of the business. A number needs its label, beside it or in the line
 * above, and right check digits where its scheme has any.
 */
export function findRegistrations(
  lines: readonly Line[],
  entities: readonly Entity[],
  countries: readonly string[],
): Finding[] {
  const found = new Map<string, Finding>();
  const add = (registration: Registration, method: string, snippet: string, confidence: number) => {
    const { kind, number } = registration;
    const key = `${kind} ${number.replace(/[^\p{L}\d]/gu, '').toUpperCase()}`;
    if (found.has(key) || found.size >= MAX_REGISTRATIONS) return;
    found.set(key, { field: 'registration', value: number, registration, method, snippet, confidence });
  };
  for (const entity of entities)
    for (const [property, kind] of PROPERTIES)
      for (const written of propertyTexts(entity, property).slice(0, 3)) {
        const text = `${LABEL_OF[kind]} ${written}`;
        for (const { registration } of registrationsIn(text, countries))
          add(registration, entity.method, text, 0.95);
      }
  const texts = lines.map(({ text }) => withoutIcons(text));
  texts.forEach((text, at) => {
    if (!/\d{3}/.test(text)) return;
    const above = texts[at - 1] ?? '';
    const named = above.length <= 100 && !/\d{3}/.test(above) ? `${above}\n` : '';
    for (const { registration, start, end } of registrationsIn(named + text, countries)) {
      const from = Math.max(0, start - named.length);
      add(registration, 'text', around(text, from, Math.max(from, end - named.length)), 0.85);
    }
  });
  return [...found.values()];
}

const MAX_REGISTRATIONS = 20;
const PROPERTIES = [
  ['vatID', 'vat'],
  ['taxID', 'tax'],
] as const;
const LABEL_OF = { vat: 'VAT ID:', tax: 'Tax ID:' };

interface Scheme {
  kind: Registration['kind'];
  /** Null: by the number's own prefix. */
  country: string | null;
  label: string;
  number: string;
  /** Of the validator of stdnum; absent for numbers without check digits. */
  check?: string;
  /** Only where the page is likely of this country. */
  isLocal?: true;
}

const NO =
  '(?:[\\s.-]{0,2}(?:no|nr|num(?:ber|mer|ero|éro|ro)?|n[°ºo]|id|reg\\.?\\s?(?:no|nr)?|№|番号|번호|号码?)(?![\\p{L}]))?';
const GAP = '[\\s.:：#()\\[\\]=-]{0,6}';

const SCHEMES: readonly Scheme[] = [
  {
    kind: 'vat',
    country: null,
    label:
      '(?:ust-?\\s?id(?:\\.|ent\\p{L}*)?|ust\\.?-?\\s?ident\\p{L}*|umsatzsteuer[-\\s]?(?:id\\p{L}*|identifikations-?\\p{L}*)(?: (?:nach|gem)[^\\n:]{0,40})?|uid|mwst|vat(?:\\s(?:id|reg(?:istration)?))?|tva(?:\\s?(?:intra)?-?\\s?communautaire)?|n[°º] (?:de )?tva|num[ée]ro de tva|p(?:artita|\\.)?\\s?\\.?\\s?iva|iva|btw|moms|mva|alv|dph|i[čc]\\s?dph|di[čc]|nip(?:\\s?ue)?|nif|cif|adósz[áa]m|közösségi adószám|eu[- ]?vat|pvn|pvm|kmkr|ддс|cod fiscal|cui|oib|αφμ|tax id)',
    number:
      '(?:AT\\s?U|BE|BG|CHE|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|GR|HR|HU|IE|IT|LT|LU|LV|MT|NL|NO|PL|PT|RO|SE|SI|SK|XI)[\\s.-]{0,2}[A-Z\\d](?:[\\s.-]?[A-Z\\d]){6,13}(?:\\s?(?:MWST|TVA|IVA|MVA|B\\d{2}))?',
  },
  {
    kind: 'vat',
    country: 'DE',
    label: 'ust-?\\s?id(?:\\.|ent\\p{L}*)?|umsatzsteuer-?\\s?id\\p{L}*',
    number: '\\d(?:\\s?\\d){8}',
    check: 'vat',
  },
  {
    kind: 'vat',
    country: 'GB',
    label: 'vat(?:\\s(?:reg(?:istration|istered)?))?',
    number: '\\d{3}\\s?\\d{4}\\s?\\d{2}(?:\\s?\\d{3})?',
    check: 'vat',
    isLocal: true,
  },
  {
    kind: 'vat',
    country: 'IT',
    label:
      'p(?:artita|\\.)?\\s?\\.?\\s?iva(?:\\s?(?:[/e]|e c\\.?f\\.?|/ ?c\\.?f\\.?)\\s?(?:c\\.?\\s?f\\.?|cod(?:ice|\\.)\\sfiscale))?',
    number: '\\d{11}',
    check: 'iva',
  },
  {
    kind: 'tax',
    country: 'IT',
    label: 'c(?:od(?:ice|\\.)?)?\\.?\\s?f(?:isc(?:ale|\\.)?)?\\.?',
    number: '\\d{11}',
    check: 'iva',
    isLocal: true,
  },
  {
    kind: 'vat',
    country: 'ES',
    label: 'c\\.?i\\.?f\\.?|n\\.?i\\.?f\\.?',
    number: '(?:[A-HJ-NP-SUVW][\\s-]?\\d{2}[.\\s]?\\d{3}[.\\s]?\\d{2}-?[\\dA-J]|[XYZ]?\\d{7,8}[\\s-]?[A-Z])',
    check: 'nif',
    isLocal: true,
  },
  {
    kind: 'tax',
    country: 'PT',
    label: 'nipc|nif|contribuinte',
    number: '\\d{3}\\s?\\d{3}\\s?\\d{3}',
    check: 'nif',
    isLocal: true,
  },
  {
    kind: 'vat',
    country: 'PL',
    label: 'nip',
    number: '\\d{3}[\\s-]?\\d{2,3}[\\s-]?\\d{2}[\\s-]?\\d{2,3}',
    check: 'nip',
  },
  { kind: 'register', country: 'PL', label: 'regon', number: '\\d{9}(?:\\d{5})?', check: 'regon' },
  { kind: 'register', country: 'PL', label: 'krs', number: '\\d{10}' },
  {
    kind: 'register',
    country: 'CZ',
    label: 'i[čc](?:o)?',
    number: '\\d{3}\\s?\\d{2}\\s?\\d{3}|\\d{2}\\s?\\d{3}\\s?\\d{3}',
    check: 'dic',
    isLocal: true,
  },
  { kind: 'register', country: 'SK', label: 'i[čc]o', number: '\\d{2}\\s?\\d{3}\\s?\\d{3}', isLocal: true },
  {
    kind: 'register',
    country: 'DE',
    label: '',
    number:
      '(?:HR\\s?[AB]|GnR|PR|VR)[\\s.:-]{0,2}(?:(?:nr|nummer)\\.?:?\\s?)?\\d{1,6}(?:\\s?[A-Z]{1,3}(?![\\p{L}\\d]))?',
  },
  {
    kind: 'tax',
    country: 'DE',
    label: 'steuer-?\\s?(?:nummer|nr\\.?)|st\\.?-?\\s?nr\\.?',
    number: '\\d{2,3}[\\s/]\\d{3}[\\s/]\\d{4,5}|\\d{3}/\\d{4}/\\d{4}',
  },
  {
    kind: 'register',
    country: 'AT',
    label: 'fn|firmenbuch(?:nummer|nr\\.?)?',
    number: '\\d{4,6}\\s?[a-z](?![\\p{L}])',
  },
  {
    kind: 'register',
    country: 'FR',
    label: 'siret',
    number: '\\d{3}[\\s.]?\\d{3}[\\s.]?\\d{3}[\\s.]?\\d{5}',
    check: 'siret',
  },
  {
    kind: 'register',
    country: 'FR',
    label: "siren|r\\.?c\\.?s\\.?(?:\\s[\\p{L}’' -]{2,30}?)?(?:\\s[AB])?",
    number: '\\d{3}[\\s.]?\\d{3}[\\s.]?\\d{3}(?!\\s?\\d)',
    check: 'siren',
  },
  {
    kind: 'register',
    country: 'NL',
    label: 'kvk|k\\.v\\.k\\.?|kamer van koophandel|handelsregister',
    number: '\\d{8}',
    isLocal: true,
  },
  {
    kind: 'register',
    country: 'BE',
    label: "kbo|bce|ondernemingsnummer|num[ée]ro d[’']entreprise|rpr|rpm",
    number: '(?:BE\\s?)?[01]\\d{3}[.\\s]?\\d{3}[.\\s]?\\d{3}',
    check: 'vat',
  },
  {
    kind: 'register',
    country: 'GB',
    label:
      '(?:company|registered|registration|reg)(?:\\s(?:in (?:england|scotland|wales|england (?:and|&) wales|northern ireland)|company|registration|reg\\.?))*(?:\\swith company)?',
    number: '(?:SC|NI|OC|SO|NC)\\s?\\d{6}|\\d{7,8}',
    isLocal: true,
  },
  {
    kind: 'register',
    country: 'IE',
    label: '(?:company|registered|registration)(?:\\s(?:in ireland|registration))*',
    number: '\\d{5,6}',
    isLocal: true,
  },
  { kind: 'register', country: 'IT', label: 'r\\.?e\\.?a\\.?', number: '[A-Z]{2}\\s?[-–]?\\s?\\d{5,7}' },
  {
    kind: 'register',
    country: 'DK',
    label: 'cvr',
    number: '\\d{2}\\s?\\d{2}\\s?\\d{2}\\s?\\d{2}',
    check: 'cvr',
  },
  {
    kind: 'register',
    country: 'SE',
    label: 'org(?:anisations)?\\.?-?\\s?(?:nr|nummer)',
    number: '\\d{6}-?\\d{4}',
    check: 'orgnr',
    isLocal: true,
  },
  {
    kind: 'register',
    country: 'NO',
    label: 'org(?:anisasjons)?\\.?-?\\s?(?:nr|nummer)',
    number: '\\d{3}\\s?\\d{3}\\s?\\d{3}',
    check: 'orgnr',
    isLocal: true,
  },
  {
    kind: 'register',
    country: 'FI',
    label: '(?:l?y|fo)-?(?:tunnus|nummer)|business id',
    number: '\\d{7}-\\d',
    check: 'ytunnus',
  },
  {
    kind: 'register',
    country: 'CH',
    label: '',
    number: 'CHE[\\s-]?\\d{3}[.\\s]?\\d{3}[.\\s]?\\d{3}(?:\\s(?:MWST|TVA|IVA))?',
    check: 'uid',
  },
  { kind: 'register', country: 'HU', label: 'c[ée]gjegyz[ée]ksz[áa]m|cg', number: '\\d{2}-\\d{2}-\\d{6}' },
  { kind: 'tax', country: 'RU', label: 'инн', number: '\\d{10}(?:\\d{2})?', check: 'inn' },
  { kind: 'register', country: 'RU', label: 'огрн(?:ип)?', number: '\\d{13}(?:\\d{2})?' },
  {
    kind: 'tax',
    country: 'TR',
    label: 'vergi(?:\\s(?:kimlik|dairesi))?',
    number: '\\d{3}\\s?\\d{3}\\s?\\d{4}',
    check: 'vkn',
  },
  { kind: 'register', country: 'TR', label: 'mersis', number: '\\d{16}' },
  {
    kind: 'register',
    country: 'BR',
    label: 'cnpj',
    number: '\\d{2}\\.?\\d{3}\\.?\\d{3}/?\\d{4}-?\\d{2}',
    check: 'cnpj',
  },
  { kind: 'register', country: 'JP', label: '法人', number: '\\d(?:[\\s-]?\\d{4}){3}', check: 'cn' },
  {
    kind: 'register',
    country: 'KR',
    label: '사업자\\s?(?:등록)?',
    number: '\\d{3}-?\\d{2}-?\\d{5}',
    check: 'brn',
  },
  {
    kind: 'register',
    country: 'CN',
    label: '(?:统一)?(?:社会)?信用代码',
    number: '[\\dA-HJ-NP-RTUWXY]{18}',
    check: 'uscc',
  },
  {
    kind: 'register',
    country: 'AU',
    label: 'a\\.?b\\.?n\\.?',
    number: '\\d{2}\\s?\\d{3}\\s?\\d{3}\\s?\\d{3}',
    check: 'abn',
  },
  {
    kind: 'tax',
    country: 'US',
    label: 'e\\.?i\\.?n\\.?|(?:federal )?tax id',
    number: '\\d{2}-\\d{7}',
    check: 'ein',
  },
];

const PATTERNS = SCHEMES.map((scheme) => ({
  ...scheme,
  pattern: new RegExp(
    scheme.label === ''
      ? `(?<![\\p{L}\\d])(?<number>${scheme.number})(?![\\d])`
      : `(?<![\\p{L}])(?:${scheme.label})${NO}${GAP}(?<number>${scheme.number})(?![\\p{L}\\d])`,
    'giu',
  ),
}));

interface Span {
  registration: Registration;
  start: number;
  end: number;
}

const LONGEST = 2000;

function registrationsIn(written: string, countries: readonly string[]): Span[] {
  const text = written.slice(0, LONGEST);
  const spans: Span[] = [];
  for (const { kind, country, pattern, check, isLocal } of PATTERNS) {
    if (isLocal && country && countries[0] !== country) continue;
    for (const match of text.matchAll(pattern)) {
      const number = (match.groups?.number ?? '').trim();
      const end = match.index + match[0].length;
      const start = end - (match.groups?.number ?? '').length;
      if (spans.some((span) => start < span.end && end > span.start)) continue;
      const of = country ?? VAT_COUNTRY[number.slice(0, 2).toUpperCase()] ?? number.slice(0, 2).toUpperCase();
      const named = country ? check : VAT_CHECKS[of];
      if (named && !isValid(of, named, number)) continue;
      if (!country && !named) continue;
      const authority = kind === 'register' ? courtNear(text, start, end) : null;
      spans.push({
        registration: { kind, number: number.replace(/\s+/g, ' '), country: of, authority },
        start,
        end,
      });
    }
  }
  return spans;
}

/** The register court or town named beside a number: `Amtsgericht München, HRB 12345`. */
function courtNear(text: string, start: number, end: number): string | null {
  const before = text.slice(Math.max(0, start - 100), start);
  const after = text.slice(end, end + 80);
  const court =
    /(?:amtsgerichts?|registergericht:?|handelsgericht|landesgericht|ag|lg|hg)\s(?:amtsgericht\s)?(?<town>\p{Lu}[\p{L}.-]{2,25}(?: (?:am|an der|im|in|ob der|\(\p{L}{2,20}\)|\p{Lu}\p{L}{2,20}))?)/u;
  const french = /r\.?c\.?s\.?\s(?:de\s|d[’'])?(?<town>\p{Lu}[\p{L}’' -]{2,30}?)(?:\s[AB])?[\s:]{0,3}$/iu;
  const insensitive = new RegExp(court.source, 'iu');
  const town = (
    insensitive.exec(before)?.groups?.town ??
    insensitive.exec(after)?.groups?.town ??
    french.exec(before)?.groups?.town
  )?.trim();
  return town && /^\p{Lu}/u.test(town) ? town.replace(/\s(?:HR|unter|Nr|HRB|HRA)$/i, '') : null;
}

const VAT_COUNTRY: Record<string, string> = { EL: 'GR', XI: 'GB', CH: 'CH' };
const VAT_CHECKS: Record<string, string> = Object.fromEntries(
  'AT:uid BE:vat BG:vat CH:uid CY:vat CZ:dic DE:vat DK:cvr EE:kmkr ES:nif FI:alv FR:tva GB:vat GR:vat HR:oib HU:anum IE:vat IT:iva LT:pvm LU:tva LV:pvn MT:vat NL:btw NO:mva PL:nip PT:nif RO:cui SE:vat SI:ddv SK:dph'
    .split(' ')
    .map((entry) => entry.split(':') as [string, string]),
);

type Validators = Record<string, Record<string, { validate(number: string): { isValid: boolean } }>>;
let validators: Validators | undefined;
const require = createRequire(import.meta.url);

/** Loaded when a page has a number to check: its tables take 15 MB. */
function isValid(country: string, name: string, number: string): boolean {
  validators ??= (require('stdnum') as { stdnum: Validators }).stdnum;
  const bare = number.replace(/\s?(?:MWST|TVA|IVA)$/i, '').replace(/[\s.]/g, '');
  return validators[country]?.[name]?.validate(bare).isValid ?? false;
}
