import { decodeUri } from '../../../core/text.ts';
import type { PageElements } from './page-elements.ts';

/** An obfuscated e-mail address, decoded but not yet validated. */
export interface DeobfuscatedEmail {
  text: string;
  method: string;
  snippet: string;
  /** That holds it; undefined for a script. */
  element?: Element;
}

/**
 * Decodes e-mail addresses that are obfuscated in ways that need no script: the schemes of
 * Cloudflare, TYPO3 and Joomla, reversed text, `data-` attributes.
 */
export function deobfuscateEmails(page: PageElements): DeobfuscatedEmail[] {
  return [
    ...cloudflareEmails(page),
    ...typo3Emails(page),
    ...joomlaEmails(page),
    ...backwardEmails(page),
    ...attributeEmails(page),
  ];
}

/**
 * Cloudflare's scheme: hex bytes, the first is the XOR key of the others. Null for anything else.
 */
export function decodeCloudflare(code: string): string | null {
  if (!/^(?:[0-9a-f]{2}){4,400}$/i.test(code)) return null;
  const bytes = Buffer.from(code, 'hex');
  const key = bytes[0] ?? 0;
  return Buffer.from(bytes.subarray(1).map((byte) => byte ^ key)).toString('utf8');
}

function cloudflareEmails({ data, links, scripts }: PageElements): DeobfuscatedEmail[] {
  const codes = new Map<string, Element | undefined>();
  for (const element of data) codes.set(element.getAttribute('data-cfemail') ?? '', element);
  for (const link of links)
    codes.set(/email-protection#([0-9a-f]+)/i.exec(link.getAttribute('href') ?? '')?.[1] ?? '', link);
  for (const script of scripts) {
    const text = script.textContent ?? '';
    if (!/cfemail|email-protection#/.test(text)) continue;
    for (const [, code] of text.matchAll(/(?:data-cfemail=\\?["']|email-protection#)([0-9a-f]{8,800})/gi))
      if (!codes.has(code ?? '')) codes.set(code ?? '', undefined);
  }
  return [...codes].flatMap(([code, element]) => {
    const text = decodeCloudflare(code.trim());
    if (!text) return [];
    return [
      { text: text.split('?')[0] ?? '', method: 'cfemail', snippet: text, ...(element ? { element } : {}) },
    ];
  });
}

/** TYPO3 rotates the characters of `mailto:…` within three character ranges. */
function typo3Emails({ data, links }: PageElements): DeobfuscatedEmail[] {
  const found: DeobfuscatedEmail[] = [];
  const codes = links.flatMap((element) =>
    [decodeUri(element.getAttribute('href') ?? ''), element.getAttribute('onclick') ?? ''].flatMap((call) => {
      const code = /UnCryptMailto\(\s*['"]([^'"]{5,200})['"]/.exec(call)?.[1];
      return code ? [{ code, element }] : [];
    }),
  );
  const tokens = data.flatMap((element) => {
    const code = element.getAttribute('data-mailto-token');
    return code ? [{ code, element }] : [];
  });
  for (const { code, element } of [...codes, ...tokens]) {
    for (let places = -26; places <= 26; places++) {
      const text = rotate(code.replaceAll('\\/', '/'), places);
      if (!text.startsWith('mailto:')) continue;
      const address = (text.slice(7).split('?')[0] ?? '').trim();
      found.push({ text: address, method: 'decoded', snippet: text, element });
      break;
    }
  }
  return found;
}

const RINGS = [
  [0x2b, 0x3a],
  [0x40, 0x5a],
  [0x61, 0x7a],
] as const;

function rotate(code: string, places: number): string {
  let out = '';
  for (const character of code) {
    const at = character.charCodeAt(0);
    const ring = RINGS.find(([first, last]) => at >= first && at <= last);
    if (!ring) {
      out += character;
      continue;
    }
    const size = ring[1] - ring[0] + 1;
    out += String.fromCharCode(ring[0] + ((((at - ring[0] + places) % size) + size) % size));
  }
  return out;
}

/**
 * Joomla assembles an address in a script from pieces of entities: `var addy1 = 'inf&#111;' +
 * '&#64;'; addy1 = addy1 + 'acme' …`.
 */
function joomlaEmails({ scripts }: PageElements): DeobfuscatedEmail[] {
  const found: DeobfuscatedEmail[] = [];
  for (const script of scripts) {
    const text = script.textContent ?? '';
    if (!text.includes('addy') || text.length > 20_000) continue;
    const addresses = new Map<string, string>();
    for (const [, name = '', value = ''] of text.matchAll(/\b(addy\w{0,40})\s*=([^;\n]{0,400})/g)) {
      // Entities end in `;`, so the pattern stops early: the literals are read per line below.
      if (!addresses.has(name) && !value.includes("'") && !value.includes('"')) continue;
      addresses.set(name, '');
    }
    for (const line of text.split(/\n|;(?=\s*(?:var\s|addy|document))/)) {
      const name = /\b(addy(?!_text)\w{0,40})\s*=/.exec(line)?.[1];
      if (name === undefined || !addresses.has(name)) continue;
      const pieces = [...line.matchAll(/'([^'<>]{0,200})'|"([^"<>]{0,200})"/g)].map(
        ([, a, b]) => a ?? b ?? '',
      );
      addresses.set(name, (addresses.get(name) ?? '') + withoutEntities(pieces.join('')));
    }
    for (const address of addresses.values()) {
      if (address.includes('@')) found.push({ text: address, method: 'decoded', snippet: address });
    }
  }
  return found;
}

const withoutEntities = (text: string): string =>
  text.replace(/&#(x?)([0-9a-f]{1,6});/gi, (_, hex: string, code: string) => {
    const point = Number.parseInt(code, hex ? 16 : 10);
    return point > 0 && point < 0x110000 ? String.fromCodePoint(point) : '';
  });

/** Reversed text that a style sheet displays forwards. */
function backwardEmails({ mirrored: elements }: PageElements): DeobfuscatedEmail[] {
  const found: DeobfuscatedEmail[] = [];
  for (const element of elements) {
    const text = element.textContent?.trim() ?? '';
    if (text.length > 120 || !text.includes('@')) continue;
    found.push({ text: reverse(text), method: 'decoded', snippet: text, element });
  }
  return found;
}

const reverse = (text: string): string => [...text].reverse().join('');

const LOCAL_NAMES = [
  'user',
  'name',
  'local',
  'local-part',
  'login',
  'mailbox',
  'account',
  'u',
  'part1',
  'first',
  'before',
  'id',
];
const DOMAIN_NAMES = ['domain', 'host', 'website', 'server', 'd', 'part2', 'second', 'after', 'dom'];
const WHOLE = /(?:e-?mail|mail|contact|address|href|enc|obfus|cloak|crypt|protect)/i;
const SAMPLE = /placeholder|example|sample|hint|pattern|error|message|msg|label/i;

/** `data-email="…"` plain, reversed or in base64, and `data-user` with `data-domain`. */
function attributeEmails({ data: elements }: PageElements): DeobfuscatedEmail[] {
  const found: DeobfuscatedEmail[] = [];
  for (const element of elements) {
    const data = new Map<string, string>();
    for (const name of element.getAttributeNames()) {
      const value = name.startsWith('data-') ? (element.getAttribute(name)?.trim() ?? '') : '';
      if (value !== '' && value.length <= 200) data.set(name.slice(5), value);
    }
    for (const [name, value] of data) {
      if (!WHOLE.test(name) || SAMPLE.test(name) || value.length < 5) continue;
      for (const text of decodings(value))
        found.push({ text, method: 'decoded', snippet: `data-${name}="${value}"`, element });
    }
    const part = (names: readonly string[]) =>
      names
        .map((name) => data.get(name) ?? data.get(`email-${name}`) ?? data.get(`mail-${name}`))
        .find(Boolean);
    const [local, domain] = [part(LOCAL_NAMES), part(DOMAIN_NAMES)];
    if (!local || !domain) continue;
    const top = data.get('tld') ?? data.get('ext');
    const text = `${local}@${domain}${top ? `.${top.replace(/^\./, '')}` : ''}`;
    for (const decoding of [text, `${reverse(local)}@${reverse(domain)}`])
      found.push({ text: decoding, method: 'decoded', snippet: text, element });
  }
  return found;
}

function decodings(value: string): string[] {
  const plain = value.replace(/^mailto:/i, '');
  if (plain.includes('@')) return [plain, reverse(plain)];
  if (/^[A-Za-z0-9+/_-]{8,200}={0,2}$/.test(value)) {
    const text = Buffer.from(value, 'base64')
      .toString('utf8')
      .replace(/^mailto:/i, '');
    return /^[\w.+-]+@[\w.-]+$/.test(text) ? [text] : [];
  }
  return /%40/.test(plain) ? [decodeUri(plain)] : [];
}
