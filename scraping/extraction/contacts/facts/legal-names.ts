import { type Entity, propertyTexts } from '../entities.ts';
import type { Finding } from '../finding.ts';
import { type Line, withoutIcons } from '../page-lines.ts';
import { excerpt } from '../snippet.ts';
import { isBusiness } from '../structured-contacts.ts';
import { IMPRINT } from '../third-parties/labels.ts';
import { folded } from './kinds.ts';

/** Legal forms as a name ends with them, longest first. */
const FORMS = [
  'GmbH\\s?(?:&|und|\\+)\\s?Co\\.?\\s?(?:KGaA|KG|OHG)|(?:UG|AG|SE)\\s?(?:\\(haftungsbeschr[äa]nkt\\)\\s?)?(?:&|und)\\s?Co\\.?\\s?(?:KGaA|KG)|UG\\s?\\(haftungsbeschr[äa]nkt\\)|gGmbH|GmbH|mbH|AG|KGaA|KG|OHG|UG|e\\.\\s?K(?:fm|fr)?\\.?|eG|e\\.\\s?V\\.?|GbR|PartG(?:\\s?mbB)?|SE',
  'S\\.?A\\.?S\\.?U\\.?|S\\.?A\\.?R\\.?L\\.?(?:-S)?|S[àa]rl|E\\.?U\\.?R\\.?L\\.?|S\\.?A\\.?S\\.?|S\\.?C\\.?I\\.?|S\\.?N\\.?C\\.?|S\\.A\\.|SA|SCOP|SCM|SELARL',
  'S\\.\\s?r\\.\\s?l\\.?s?\\.?|Srls?|SRL|S\\.\\s?p\\.\\s?A\\.?|SpA|SPA|S\\.\\s?n\\.\\s?c\\.?|S\\.\\s?a\\.\\s?s\\.?|Soc(?:iet[àa])?\\.?\\sCoop(?:erativa)?\\.?(?:\\sa\\sr\\.?l\\.?)?',
  'S\\.?L\\.?U\\.?|S\\.?L\\.?P?\\.?|S\\.A\\.U\\.|S\\.?\\s?Coop\\.?|C\\.B\\.',
  'Unipessoal,?\\sLda\\.?|Lda\\.?|Ltda\\.?|S/A|EIRELI|ME|MEI|EPP',
  'B\\.?V\\.?B\\.?A\\.?|B\\.V\\.|BV|N\\.V\\.|NV|V\\.?O\\.?F\\.?|C\\.V\\.',
  'sp\\.?\\s?z\\s?o\\.?\\s?o\\.?(?:\\ssp\\.?\\s?k\\.?)?|Sp\\.?\\s?z\\s?o\\.?\\s?o\\.?(?:\\s[Ss]p\\.?\\s?k\\.?)?|spółka z o\\.?\\s?o\\.?|S\\.\\s?A\\.|sp\\.?\\s?j\\.|sp\\.\\s?k\\.|s\\.\\s?c\\.',
  's\\.?\\s?r\\.?\\s?o\\.?|spol\\.\\ss\\s?r\\.\\s?o\\.|a\\.\\s?s\\.|v\\.\\s?o\\.\\s?s\\.|k\\.\\s?s\\.|z\\.\\s?s\\.',
  'ApS|A/S|I/S|K/S|AB|HB|ASA|AS|ANS|ENK|Oyj|Oy|Ky|Kft\\.?|Zrt\\.?|Nyrt\\.?|Bt\\.?|S\\.R\\.L\\.|d\\.\\s?o\\.\\s?o\\.|d\\.\\s?d\\.|EOOD|OOD|ЕООД|ООД|Ε\\.?Π\\.?Ε\\.?|Α\\.?Ε\\.?|Ι\\.?Κ\\.?Ε\\.?',
  'A\\.?\\s?Ş\\.?|Ltd\\.?\\sŞti\\.?|Limited\\sŞirketi|Anonim\\sŞirketi',
  'Pty\\.?\\sLtd\\.?|Pvt\\.?\\sLtd\\.?|Private\\sLimited|Pte\\.?\\sLtd\\.?|Sdn\\.?\\sBhd\\.?|Co\\.?,?\\sLtd\\.?|L\\.?L\\.?C\\.?|P\\.?L\\.?L\\.?C\\.?|L\\.?L\\.?P\\.?|Inc(?:orporated|\\.)?|Corp(?:oration|\\.)?|Ltd\\.?|Limited|P\\.?L\\.?C\\.?|plc|CIC|L\\.P\\.|P\\.C\\.|P\\.A\\.',
].join('|');
const WORD =
  '(?:[\\p{Lu}\\d][\\p{L}\\d.’\'&/+-]{0,30}|[\\p{Ll}][\\p{L}\\d-]{1,24}|&|\\+|["„“”«»][\\p{L}\\d .&-]{1,40}["“”«»])';
/** The whole line, or its start up to a separator, is a name with its form. */
const NAME = new RegExp(
  `^(?<name>${WORD}(?:,?\\s${WORD}){0,9}?,?\\s(?<form>${FORMS}))(?=$|[\\s]?[,;|•·–—(:]|\\s-\\s|\\s(?:vertreten|mit sitz|au capital|con sede|is (?:a|registered)|represented|,)|\\.?\\s(?:[Rr]egistered|[Aa]ll|Alle|Tous|Todos|Tutti|VAT|Company|Reg)(?![\\p{L}])|\\.\\s?$|\\s©)`,
  'u',
);
const FORM_FIRST =
  /^(?<name>(?:(?<form>ООО|ОАО|ЗАО|ПАО|АО|ИП|ТОО|株式会社|有限会社|合同会社|合資会社|一般社団法人|医療法人(?:社団)?|\(주\)|주식회사|유한회사|SARL|SAS|SASU|EURL|PT\.?)\s?[«"„]?(?:[\p{L}\d][\p{L}\d.&’'ー・-]{0,40}(?:\s[\p{L}\d.&’'-]{1,30}){0,4})[»"“]?))(?=$|[\s]?[,;|•·(（、])/u;
const FORM_LAST =
  /^(?<name>[\p{L}\d][\p{L}\d・ー&.-]{0,40}(?<form>株式会社|有限会社|合同会社|주식회사|\(주\)|股份有限公司|有限责任公司|有限公司))(?=$|[\s]?[,;|•·(（、])/u;

const INTRODUCED =
  /^\W{0,3}(?:(?:firma|firmenname|company(?: name)?|legal name|name|raison sociale|d[ée]nomination(?: sociale)?|ragione sociale|denominazione|raz[óo]n social|denominaci[óo]n(?: social)?|raz[ãa]o social|handelsnaam|bedrijfsnaam|nazwa(?: firmy)?|obchodn[íi] (?:firma|jm[ée]no)|diensteanbieter|betreiber|herausgeber|anbieter|inhaber|verantwortlich|publisher|[ée]diteur(?: du site)?|titular|titolare|publi[ée] par|会社名|商号|社名|屋号|販売業者|상호(?:명)?|회사명|公司名称|企业名称|наименование|название|cégnév|ticaret unvan[ıi]|ünvan[ıi]?)\s?[:：]\s?|(?:©|\(c\)|copyright)[\s©\d,–-]{0,20}(?:by\s)?)/iu;

/**
 * The legal name of the business: of structured data, or the name with a legal form that an imprint,
 * a label, a copyright line or the line above an address states. Prefers names like the site's.
 */
export function findLegalName(
  lines: readonly Line[],
  entities: readonly Entity[],
  site: { domain: string | null; company: string | null },
): Finding[] {
  const found: { name: string; form: string; method: string; snippet: string; score: number }[] = [];
  for (const entity of entities) {
    if (!isBusiness(entity)) continue;
    for (const name of propertyTexts(entity, 'legalName').slice(0, 2))
      found.push({ name, form: formOf(name), method: entity.method, snippet: name, score: 3 });
    for (const name of propertyTexts(entity, 'name').slice(0, 2))
      if (formOf(name) !== '')
        found.push({ name, form: formOf(name), method: entity.method, snippet: name, score: 1 });
  }
  const texts = lines.map(({ text }) => withoutIcons(text));
  const imprintAt = texts.findIndex((text) => text.length <= 60 && IMPRINT.test(text));
  texts.slice(0, MAX_LINES).forEach((text, at) => {
    const introduced = INTRODUCED.exec(text)?.[0] ?? '';
    const above = texts[at - 1] ?? '';
    const isLabelled = introduced !== '' || (above.length <= 30 && INTRODUCED.test(`${above}:`));
    const rest = text.slice(introduced.length, introduced.length + 160).trim();
    const match = NAME.exec(rest) ?? FORM_FIRST.exec(rest) ?? FORM_LAST.exec(rest);
    const { name, form } = match?.groups ?? {};
    if (!name || !form || name.length > 100 || NOT_A_NAME.test(name)) return;
    const isImprint = imprintAt >= 0 && at > imprintAt && at - imprintAt <= 15;
    const score =
      (isLabelled ? 1.5 : 0) +
      (isFollowedByNumber(texts, at) ? 0.5 : 0) +
      (isImprint ? 1 + (15 - (at - imprintAt)) / 30 : 0) +
      (lines[at]?.area === 'footer' ? 0.5 : 0) +
      0.5;
    found.push({ name, form, method: 'text', snippet: `${texts[at - 1] ?? ''} ${text}`, score });
  });
  const label = folded(site.domain?.split('.')[0] ?? '').replace(/[^a-z\d]/g, '');
  const company = folded(site.company ?? '').replace(/[^\p{L}\d]/gu, '');
  const scored = found.map((one) => {
    const key = folded(one.name).replace(/[^\p{L}\d]/gu, '');
    const isLike = (wanted: string) =>
      wanted.length >= 3 && (key.startsWith(wanted) || (wanted.length >= 5 && key.includes(wanted)));
    return { ...one, score: one.score + (isLike(label) ? 2 : 0) + (isLike(company) ? 1.5 : 0) };
  });
  const isOnly = new Set(scored.map(({ name }) => folded(name).replace(/[^\p{L}\d]/gu, ''))).size === 1;
  if (isOnly) for (const one of scored) one.score += 0.5;
  scored.sort((a, b) => b.score - a.score);
  const [best] = scored;
  if (!best || best.score < MIN_SCORE) return [];
  return [
    {
      ...{ field: 'legal_name', value: best.name, form: best.form },
      ...{
        method: best.method,
        snippet: excerpt(best.snippet),
        confidence: Math.min(0.95, 0.55 + best.score * 0.08),
      },
    },
  ];
}

/** An address, or a number of the firm, in the lines below its name. */
const isFollowedByNumber = (texts: readonly string[], at: number): boolean =>
  texts.slice(at, at + 4).some((text) => text.length <= 120 && /\d{4}/.test(text));

const MAX_LINES = 3000;
/** A name with a form somewhere on the page may be a customer's. */
const MIN_SCORE = 1.4;
const NOT_A_NAME =
  /(?<![\p{L}])(?:amtsgericht|handelsregister|wir|we|our|nous|unsere?|the following|all rights|welcome|willkommen|bei der|von der)(?![\p{L}])/iu;

const ENDS_IN_FORM = new RegExp(`[\\s,](?<form>${FORMS})$`, 'u');
const formOf = (name: string): string =>
  (ENDS_IN_FORM.exec(name.trim()) ?? FORM_FIRST.exec(name.trim()) ?? FORM_LAST.exec(name.trim()))?.groups
    ?.form ?? '';
