import { parse } from 'tldts';
import { decodeUri } from '../../../core/text.ts';
import { deobfuscateEmails } from './email-deobfuscation.ts';
import type { Finding } from './finding.ts';
import type { PageElements } from './page-elements.ts';
import { type Line, withoutIcons } from './page-lines.ts';
import { plainCharacters } from './plain-characters.ts';
import { around, excerpt } from './snippet.ts';
import { isThirdPartyAddress } from './third-parties/third-party-addresses.ts';
import type { OwnContent } from './third-parties/third-party-filter.ts';

/**
 * E-mail addresses of a page: linked, obfuscated, in its text, and spelled out. Text about other
 * parties counts only for addresses at the site's own domain.
 */
export function findEmails(
  page: PageElements,
  { lines, own, foreign }: { lines: readonly Line[]; own: readonly Line[]; foreign: OwnContent['foreign'] },
  ownDomain: string | null,
): Finding[] {
  const found: Finding[] = [];
  const isOwn = (address: string) =>
    ownDomain !== null && (address.endsWith(`@${ownDomain}`) || address.endsWith(`.${ownDomain}`));
  const add = (text: string, method: string, snippet: string, confidence: number, isForeign = false) => {
    const value = emailAddress(text);
    if (value === null) return;
    if ((isForeign && !isOwn(value)) || isThirdPartyAddress(value, ownDomain)) return;
    // An encoded address is real, even if it looks like a placeholder.
    if (method !== 'cfemail' && isPlaceholder(value, ownDomain)) return;
    found.push({ field: 'email', value, method, snippet: excerpt(snippet), confidence });
  };
  for (const link of page.links) {
    const href = link.getAttribute('href')?.trim().slice(0, LONGEST_LINK) ?? '';
    if (!/^mailto:/i.test(href)) continue;
    for (const address of parseMailto(href))
      add(address, 'mailto', link.textContent || href, 0.95, foreign.has(link));
  }
  for (const { text, method, snippet, element } of deobfuscateEmails(page))
    add(text, method, snippet, 0.95, element !== undefined && foreign.has(element));
  const isOwnLine = new Set(own);
  const addWritten = (written: string, isForeign: boolean) => {
    const text = withoutIcons(written);
    for (const { address, start, end } of writtenEmails(text))
      if (!EXAMPLE.test(text.slice(Math.max(0, start - 30), start)))
        add(address, 'text', around(text, start, end), 0.85, isForeign);
    for (const { address, start, end } of spelledEmails(text))
      add(address, 'spelled', around(text, start, end), 0.75, isForeign);
  };
  for (const line of own) addWritten(line.text, false);
  for (const line of lines) if (!isOwnLine.has(line)) addWritten(line.text, true);
  return found;
}

/** Words before a value that is a sample of its form. */
export const EXAMPLE =
  /(?:(?<![\p{L}])(?:z\.\s?b\.|e\.\s?g\.|for example|(?:an? )?example|sample|beispiel|p\.\s?ex\.|par exemple|exemple|por ejemplo|p\.\s?ej\.|ej\.|ejemplo|exemplo|ad esempio|p\.\s?es\.|esempio|bijv\.|voorbeeld|np\.|nap[řr]\.|t\.\s?ex\.|f\.\s?eks\.|örneğin|örn\.|например|例[:：]?))[\s:：,(“"']*$/iu;

/** Longer links carry no address for people. */
const LONGEST_LINK = 2000;

/**
 * Normalizes an e-mail address: lower case, without surrounding punctuation. Null if mail could not
 * reach it.
 */
export function emailAddress(written: string): string | null {
  const text = written.length > 1000 ? '' : plainCharacters(written);
  const at = text.lastIndexOf('@');
  if (/^git@/i.test(text)) return null;
  if (at < 1 || text.length > 320) return null;
  const local = text
    .slice(0, at)
    .trim()
    .replace(/^["'<(:.\s]+|["'\s]+$/g, '')
    .toLowerCase();
  if (!/^[\p{L}\d_](?:[\p{L}\d._%+'&/=!#-]{0,62}[\p{L}\d_+-])?$/u.test(local) || local.includes('..'))
    return null;
  if (/^[0-9a-f]{24,}$/.test(local)) return null; // The key of a service, such as Sentry's.
  const domain = knownDomain(
    text
      .slice(at + 1)
      .trim()
      .replace(/^(?:no-?spam|remove-?this)\./i, ''),
  );
  return domain === null ? null : `${local}@${domain}`;
}

/**
 * The longest prefix that is a host under a public suffix: text may follow without a space
 * (`acme.comPhone`).
 */
function knownDomain(text: string): string | null {
  const [name = ''] = /^(?:[\p{L}\d](?:[\p{L}\d-]{0,62})\.){1,6}[\p{L}\d-]{2,24}/u.exec(text) ?? [];
  if (name === '') return null;
  for (const candidate of [
    name,
    name.replace(/(?<=\p{Ll})\p{Lu}.*$/u, ''),
    name.replace(/\.\p{Lu}\p{Ll}.*$/u, ''),
  ]) {
    const { hostname, domain, isIcann } = parse(candidate.toLowerCase().replace(/-+$/, ''), {
      validateHostname: true,
    });
    if (domain && hostname && isIcann) return hostname;
  }
  return null;
}

function parseMailto(href: string): string[] {
  const [recipients = '', query = ''] = href.slice('mailto:'.length).split('?');
  const to = /(?:^|&)to=([^&]*)/i.exec(query.replaceAll('&amp;', '&'))?.[1] ?? '';
  return [recipients, to].flatMap((list) =>
    decodeUri(decodeUri(list))
      .split(/[,;]/)
      .map((address) => address.replace(/^.*<([^>]*)>.*$/, '$1').replace(/^(?:mailto:|\/\/)+/i, ''))
      .map((address) => spelledOut(address.trim())),
  );
}

interface TextSpan {
  address: string;
  start: number;
  end: number;
}

const LOCAL_CHARACTER = /[\p{L}\d._%+'&!#-]/u;

/** Expands from each `@` to both sides: linear in the length of the text. */
function writtenEmails(text: string): TextSpan[] {
  const found: TextSpan[] = [];
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const spaced = text[at - 1] === ' ' && text[at + 1] === ' ';
    let start = spaced ? at - 1 : at;
    const from = start;
    while (start > 0 && from - start < 64 && LOCAL_CHARACTER.test(text[start - 1] ?? '')) start--;
    if (start === from || isInUrl(text.slice(Math.max(0, start - 40), start))) continue;
    const rest = text.slice(at + (spaced ? 2 : 1), at + 160);
    const [domain = ''] = /^[\p{L}\d][\p{L}\d.-]*/u.exec(rest) ?? [];
    found.push({
      address: `${text.slice(start, from)}@${domain}`,
      start,
      end: at + (spaced ? 2 : 1) + domain.length,
    });
  }
  return found;
}

const isInUrl = (before: string): boolean => /:\/\/\S*$/.test(before);

const AT_WORD = 'at|ät|aet|æt|arroba|arobase|chez|chiocciola|kukac|małpa|malpa|zavinac|snabel-?a|собака';
const DOT_WORD = 'dot|punkt|punto|point|ponto|punt|prick|kropka|tecka|pont|точка';
/** `[at]`, `(at)`, `{at}`, `<at>`, `[@]`, `_at_`. */
const BRACKETED_AT = new RegExp(`\\s?(?:[\\[({<|*]\\s?(?:${AT_WORD}|@)\\s?[\\])}>|*]|_at_)\\s?`, 'giu');
/**
 * Without brackets both words must be present, in one language: neither "stay at home" nor "chez
 * Marie point de départ" is an address.
 */
const PLAIN_PAIRS = [
  ['at', 'dot'],
  ['ät', 'punkt'],
  ['at', 'punkt'],
  ['arroba', 'punto|ponto'],
  ['arobase', 'point'],
  ['chiocciola', 'punto'],
  ['kukac', 'pont'],
  ['собака', 'точка'],
] as const;
const bracketedDot = `\\s?[\\[({<|*]\\s?(?:${DOT_WORD}|\\.)\\s?[\\])}>|*]\\s?|_dot_|-dot-`;
const ANY_DOT = new RegExp(`${bracketedDot}|\\s(?:${DOT_WORD})\\s`, 'giu');
const PLAIN = PLAIN_PAIRS.map(([at, dot]) => ({
  at: new RegExp(`\\s${at}\\s|-${at}-`, 'giu'),
  dot: new RegExp(`\\s(?:${dot})\\s|-(?:${dot})-|${bracketedDot}`, 'giu'),
}));
const SPELLED = new RegExp(
  `${BRACKETED_AT.source}|[\\s-](?:${PLAIN_PAIRS.map(([at]) => at).join('|')})[\\s-]`,
  'iu',
);

/** `name [at] domain [dot] com` and similar spellings, in several languages. */
function spelledEmails(text: string): TextSpan[] {
  if (!SPELLED.test(text)) return [];
  const found: TextSpan[] = [];
  const collect = (at: RegExp, dot: RegExp, isBracketed: boolean) => {
    for (const match of text.matchAll(at)) {
      const end = match.index + match[0].length;
      const before = text.slice(Math.max(0, match.index - 80), match.index).replace(dot, '.');
      const raw = text.slice(end, end + 100);
      const [local = ''] = /[\p{L}\d._%+-]{1,64}$/u.exec(before) ?? [];
      const [domain = ''] = /^[\p{L}\d-]+(?:\.[\p{L}\d-]+)+/u.exec(raw.replace(dot, '.')) ?? [];
      if (local === '' || domain === '') continue;
      // "Meet us at acme.com" is no address, "joe at acme dot com" is one.
      if (!isBracketed && raw.toLowerCase().startsWith(domain.toLowerCase())) continue;
      found.push({
        address: `${local}@${domain}`,
        start: match.index - local.length,
        end: end + domain.length,
      });
    }
  };
  collect(BRACKETED_AT, ANY_DOT, true);
  for (const { at, dot } of PLAIN) collect(at, dot, false);
  return found;
}

const spelledOut = (address: string): string => {
  if (address.includes('@') && !/[[({]/.test(address)) return address;
  return spelledEmails(address)[0]?.address ?? address;
};

const PLACEHOLDER_DOMAIN =
  /^(?:(?:[a-z0-9-]+\.)?example\.[a-z.]+|(?:muster(?:mann|frau|firma|domain|shop|unternehmen)?|ihre?-?(?:domain|firma|seite|website)|deine-?(?:domain|firma|seite|website)|dom(?:aine|inio|ena)|entreprise|empresa|azienda|firma|votre-?(?:domaine|site|entreprise|societe)|(?:su|tu|seu)-?(?:dominio|sitio|empresa|correo)|(?:tuo|vostro|nome)-?(?:dominio|sito|azienda)|(?:jouw|uw)-?(?:domein|bedrijf)|domein|voorbeeld|bedrijf|przyklad|twoja-?(?:domena|firma)|priklad|vase-?domena|exempel|eksempel|ornek|exemplo|doe|johndoe|acme-?corp)\.[a-z.]+|(?:your|my|some)-?(?:domain|site|company|website|email|mail|business|store|name)[a-z]*\.[a-z.]+|(?:domain|domainname|website|mysite|yoursite|email|company|address|test|exemple|beispiel|ejemplo|esempio|placeholder|sample|mailservice|provider)\.(?:com|net|org|de|fr|tld|es|it|nl|co\.uk|ltd))$/;
const PLACEHOLDER_LOCAL =
  /^(?:you|your|yours|your[._-]?(?:e?mail|name|address|id|account)|(?:e?mail|name|user)(?:[._-]?address)?|username|someone|somebody|some1|xxx+|abc|foo|bar|first\.?last|firstname(?:[._]?lastname)?|john\.?doe|jane\.?doe|(?:max|erika|m|e)\.?muster(?:mann|frau)|mario\.?rossi|jan\.?(?:kowalski|jansen)|jean\.?dupont|juan\.?perez|fulano|votre[._-]?(?:nom|e?mail)|ihre?[._-]?(?:name|e?mail)|tu[._-]?(?:correo|email)|nombre|nom|vorname\.nachname|test|me)$/;
/** Free mail providers: the domain says nothing about a business. */
export const FREE_MAIL =
  /^(?:gmail|googlemail|yahoo|ymail|hotmail|outlook|live|msn|mail|aol|gmx|email|domain|web|icloud|me|comcast|sbcglobal|verizon|att|btinternet|btconnect|t-online|freenet|orange|wanadoo|free|laposte|libero|protonmail|proton|yandex|qq|163)\.[a-z.]+$/;

/**
 * Whether an address is an example in a form or text. Addresses at the page's own domain are not.
 */
export function isPlaceholder(address: string, ownDomain: string | null): boolean {
  const [local = '', host = ''] = address.split('@');
  if (/(?:^|\.)(?:sentry\.io|wixpress\.com|sentry-next\.wixpress\.com)$/.test(host)) return true;
  if (ownDomain !== null && (host === ownDomain || host.endsWith(`.${ownDomain}`)))
    return /^(?:your|xxx+|user(?:name)?|someone)/.test(local) && PLACEHOLDER_LOCAL.test(local);
  return PLACEHOLDER_DOMAIN.test(host) || (PLACEHOLDER_LOCAL.test(local) && FREE_MAIL.test(host));
}
