import type { Address } from '../../../../core/leads/lead.ts';
import type { Finding } from '../finding.ts';
import { type Line, withoutIcons } from '../page-lines.ts';
import { CA_PROVINCE, COUNTY, isUsState, parseCountry } from '../places.ts';
import { excerpt } from '../snippet.ts';
import { formattedAddress } from './address-formats.ts';
import { type AddressTail, findAddressTails } from './address-tail.ts';
import {
  BUILDING_PART,
  CONTINENTAL_HINT,
  CONTINENTAL_STREET,
  ENGLISH_STREET,
  isStreetName,
  PO_BOX,
  STREET_KIND_FIRST,
  UNIT_PART,
} from './streets.ts';

/**
 * Postal addresses in a page's text. First by their tail (town, state, postcode), reading backwards
 * to the street; then standalone streets. An address needs a street or a post-office box: a town
 * alone is none.
 *
 * @param countries likely countries of addresses that do not name one, most likely first
 */
export function findAddresses(lines: readonly Line[], countries: readonly string[]): Finding[] {
  const texts = lines.map(({ text }) => withoutIcons(text));
  const found: { address: Address; confidence: number; at: number }[] = [];
  const taken = new Set<string>();
  const add = (address: Address, confidence: number, at: number) => {
    const key = plainKey(address.street ?? '');
    if (key === '' || taken.has(key)) return;
    taken.add(key);
    found.push({ address, confidence, at });
  };
  // Lines that an address of a format of its own takes up.
  const formatted = new Set<number>();
  texts.forEach((text, at) => {
    if (found.length >= MAX_ADDRESSES || text.length > MAX_FORMATTED || formatted.has(at)) return;
    const read = readFormatted(texts, at, countries);
    if (!read) return;
    add(read.address, 0.85, at);
    for (let line = at; line < at + read.lines; line += 1) formatted.add(line);
  });
  texts.forEach((text, at) => {
    if (found.length >= MAX_ADDRESSES || text.length > MAX_LINE || formatted.has(at)) return;
    for (const end of findAddressTails(
      text,
      countries,
      NUMBER_AND_WORD.test(`${texts[at - 2]} ${texts[at - 1]} ${text}`),
    )) {
      const address = readBackwards(texts, at, end, countries);
      if (address) add(address, end.region || end.postal_code ? 0.85 : 0.7, at);
    }
  });
  texts.forEach((text, at) => {
    if (found.length >= MAX_ADDRESSES || text.length > 120 || formatted.has(at)) return;
    const address = standaloneStreet(texts, at);
    if (address && ![...taken].some((key) => key.includes(plainKey(address.street ?? ''))))
      add(address, 0.6, at);
  });
  return found.map(({ address, confidence, at }) => ({
    field: 'address',
    value: address.text,
    address,
    method: 'text',
    snippet: excerpt(`${texts[at - 1] ?? ''} ${texts[at]}`),
    confidence,
  }));
}

/** Alone first, then with the lines below, which may hold the town, the street or the postcode. */
function readFormatted(
  texts: readonly string[],
  at: number,
  countries: readonly string[],
): { address: Address; lines: number } | null {
  let best: { address: Address; lines: number } | null = null;
  for (let lines = 1; lines <= 3; lines += 1) {
    const last = texts[at + lines - 1];
    if (last === undefined || last.length > MAX_FORMATTED) break;
    const address = formattedAddress(texts.slice(at, at + lines).join(', '), countries);
    if (!address?.street) continue;
    if (!best || (address.street === best.address.street && address.postal_code)) best = { address, lines };
    if (address.postal_code) break;
  }
  return best;
}

/** Without a match no street is near. */
const NUMBER_AND_WORD = /\d[\p{L}\d]*[.,]?\s+[\p{L}#]|[\p{L}.]\s#?\d/u;
const MAX_ADDRESSES = 200;
const MAX_LINE = 2000;
const MAX_FORMATTED = 300;
const plainKey = (street: string): string => street.toLowerCase().replace(/[^\p{L}\d]/gu, '');

/** Search limits for the start of an address: lines above its tail, characters per part. */
const MAX_LINES_BACK = 6;
const MAX_PART = 70;

/**
 * Parts between commas, bullets and lines, nearest to the tail first, up to the first that cannot
 * belong to an address.
 */
function partsBefore(texts: readonly string[], at: number, start: number): string[] {
  const parts: string[] = [];
  for (let line = at; line >= 0 && at - line <= MAX_LINES_BACK; line--) {
    const text = line === at ? (texts[line] ?? '').slice(0, start) : (texts[line] ?? '');
    if (line !== at && text.length > 160) break;
    const pieces = text
      .split(/\s?[,;|•·♦●▪►»~]\s?|\s[-–—]\s|\t|\s{2,}/)
      .map((piece) => piece.trim())
      .filter((piece) => piece !== '' && !/^[.\-–—:()]+$/.test(piece));
    for (const piece of pieces.reverse()) {
      const cut = cutLabel(piece);
      if (cut.text !== '' && !mayBeAddressPart(cut.text)) return parts;
      if (cut.text !== '') parts.push(cut.text);
      if (cut.ends || parts.length >= 8) return parts;
    }
  }
  return parts;
}

/**
 * Joins streets that contain a comma or line end: `12 bis, rue de la Paix`, `Calle Mayor, 25, 2º
 * B`.
 */
function joinStreetParts(parts: readonly string[]): string[] {
  const out: string[] = [];
  for (let at = parts.length - 1; at >= 0; at--) {
    const part = parts[at] ?? '';
    const above = out.at(-1);
    const isNumber = /^(?:[Nn][º°ro.]{0,3}\s?)?\d{1,5}\s?(?:[A-Za-z]|bis|ter)?(?:\/[A-Za-z\d]{1,4})?$/.test(
      part,
    );
    const isFloor = /^\d{1,2}\s?[ºª°]|^(?:bajo|planta|piso|izq|dcha|andar|lj|lote)\b/i.test(part);
    const followsNumber =
      above !== undefined && /^\d{1,4}(?:\s?-\s?\d{1,4})?\s?(?:bis|ter|[A-D])?$/.test(above);
    if (above !== undefined && (isNumber || isFloor) && STREET_KIND_FIRST.test(above))
      out[out.length - 1] = `${above}, ${part}`;
    else if (followsNumber && STREET_KIND_FIRST.test(part)) out[out.length - 1] = `${above}, ${part}`;
    else out.push(part);
  }
  return out.reverse();
}

/** Cuts a label such as `Address:` off; `ends` says that the address starts here. */
function cutLabel(piece: string): { text: string; ends: boolean } {
  const street = afterCopyright(piece);
  if (street !== null) return { text: street, ends: true };
  const colon = piece.lastIndexOf(':');
  if (colon >= 0) return { text: piece.slice(colon + 1).trim(), ends: true };
  const label =
    /^(?:(?:our|postal|mailing|street|office|business|registered|head|main|visiting|visit|corporate|physical|company|store)\s?){0,3}(?:address|office|location|headquarters|adresse|anschrift|dirección|indirizzo)\s(?=[\p{Lu}\d])/iu.exec(
      piece,
    );
  return label ? { text: piece.slice(label[0].length), ends: true } : { text: piece, ends: false };
}

/**
 * The street behind a copyright line's owner: `© 2026 Acme LLC. 4402 Burnet Rd`. Null without one.
 */
function afterCopyright(piece: string): string | null {
  if (!/©|\(c\)|copyright|all rights/i.test(piece)) return null;
  const rest = piece
    .replace(/^.*(?:©|\(c\)|copyright)[\s\d–-]*/i, '')
    .replace(/^.*all rights reserved\.?\s?/i, '')
    .replace(
      /^.*?(?<![\p{L}])(?:LLC|L\.L\.C|LLP|Inc|Ltd|Limited|Corp|Co|PLLC|PC|P\.C|GmbH)\.?[\s,.-]+(?=\S*\d)/u,
      '',
    )
    .replace(/^\D*/, '');
  const street = lastStreet(rest);
  return street && street.start === 0 ? rest : null;
}

const mayBeAddressPart = (part: string): boolean =>
  part.length <= 110 &&
  !/@|https?:|www\.|[!?]|©|\(c\)|copyright|all rights/i.test(part) &&
  !/\d{3}[\s).-]{1,2}\d{3}[\s.-]\d{4}|\+\d/.test(part) &&
  !NOT_AN_ADDRESS.test(part);

const NOT_AN_ADDRESS =
  /^(?:home|about(?: us)?|contact(?: us| details| info(?:rmation)?)?|address|addresse|e-?mail|tel(?:ephone)?|phone|fax|website|web|directions?|map|get directions|view map|hours|opening (?:hours|times)|office|offices|head ?office|location|locations|services|menu|login|search|privacy(?: policy)?|headquarters|find us|visit us|send|submit|kontakt|impressum|anschrift|adresse|where we are|our (?:office|address|location)|mailing address|postal address|company|or|and|by mail|write to us|get in touch)$|\d{1,2}(?::\d\d)?\s?(?:am|pm)\b|\b(?:mon|tue|wed|thu|fri|sat|sun)(?:day)?s?\b\s?[-–:]|\b(?:fax|tel|phone|telephone)\b\.?\s?:?\s?\d/iu;

function readBackwards(
  texts: readonly string[],
  at: number,
  end: AddressTail,
  countries: readonly string[],
): Address | null {
  const parts = joinStreetParts(partsBefore(texts, at, end.start));
  if (parts.length === 0) return null;
  let { city, region } = end;
  let rest = parts;
  const bracketed = /^(.*\S)\s\(([\p{L} .-]{2,25})\)$/u.exec(rest[0] ?? '');
  if (!region && bracketed?.[1] && rest[0]) {
    region = bracketed[2] ?? null;
    rest = [bracketed[1], ...rest.slice(1)];
  }
  // A county or province may precede the postcode.
  if (
    !region &&
    rest[0] &&
    rest.length > 1 &&
    (COUNTY.test(rest[0]) || (end.country === 'CA' && new RegExp(`^${CA_PROVINCE}\\.?$`, 'u').test(rest[0])))
  ) {
    region = rest[0];
    rest = rest.slice(1);
  }
  if (city === null && rest[0] !== undefined) {
    const split = splitTown(rest[0], region);
    if (!split) return null;
    city = split.city;
    region ??= split.region;
    rest = split.street === null ? rest.slice(1) : [split.street, ...rest.slice(1)];
  }
  const street = assembleStreet(rest, end.country ?? countries[0] ?? 'US');
  if (!street) return null;
  const locality = [city, [region, end.postal_code].filter(Boolean).join(' ')].filter(Boolean);
  if (end.postal_code && end.city)
    locality.splice(0, 2, `${end.postal_code} ${city}`, ...(region ? [region] : []));
  return {
    text: [street, ...locality, ...(countryNamed(texts, at, end) ?? [])].join(', '),
    street,
    city,
    region,
    postal_code: end.postal_code,
    country: end.country,
  };
}

/** The country's name, if it follows the tail. */
function countryNamed(texts: readonly string[], at: number, end: AddressTail): string[] | null {
  const after = `${(texts[at] ?? '').slice(end.end)}\n${texts[at + 1] ?? ''}`;
  const name = /^[\s,.•|-]{0,4}([\p{L}. ]{2,30})/u.exec(after)?.[1]?.trim();
  return name && parseCountry(name) ? [name] : null;
}

/** Splits the part before state or postcode into street and town: `4120 Clipper Court Fremont`. */
function splitTown(
  part: string,
  region: string | null,
): { street: string | null; city: string; region: string | null } | null {
  const street = lastStreet(part);
  if (street) {
    const after = part.slice(street.end).replace(/^[\s.,-]+/, '');
    const estate =
      /^(.*(?:Estate|Park|Centre|Center|Building|House|Court|Complex|Village))\s(\p{Lu}[^\d]{2,40})$/u.exec(
        after,
      );
    if (estate?.[1] && estate[2] && after.length <= 70) {
      const town = splitTown(estate[2], region);
      return town && { ...town, street: `${part.slice(0, street.end).trim()} ${estate[1]}` };
    }
    const isTown = after !== '' && after.length <= 40 && /^[\p{Lu}]/u.test(after) && !/\d/.test(after);
    if (isTown) {
      const words = after.split(' ');
      const county = words.length > 1 && COUNTY.test(words.at(-1) ?? '') ? words.at(-1) : undefined;
      return {
        street: part.slice(0, street.end).trim(),
        city: county ? words.slice(0, -1).join(' ') : after,
        region: region ?? county ?? null,
      };
    }
    if (after !== '') return null;
    // `123 Main Street, NY 10001`: the town is missing.
    return null;
  }
  // `PO Box 306 Newcastle upon Tyne`, `720 Brazos Suite 110 Austin`
  const unit = /^(.*?\d[\p{L}\d#-]*\.?)\s([\p{Lu}][\p{L}.'’ -]{2,30})$/u.exec(part);
  if (unit?.[1] && unit[2] && /\d/.test(part)) {
    const start = unit[1];
    if (/^\d{1,6}$/.test(start)) return null;
    return { street: start, city: unit[2].trim(), region: null };
  }
  if (/\d/.test(part) && !/^\p{L}[\p{L} .-]{1,25}\s\d{1,2}$/u.test(part)) return null;
  if (part.length > 40 || !/^[\p{Lu}]/u.test(part)) return null;
  const words = part.split(' ');
  if (words.length > 5) return null;
  const county = words.length > 1 && COUNTY.test(words.at(-1) ?? '') ? (words.at(-1) ?? null) : null;
  return { street: null, city: county ? words.slice(0, -1).join(' ') : part, region: county };
}

/** Cheap test first: most lines have no street. */
const STREETS = [
  [/\d\S*\s|\b(?:One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten)\s/, ENGLISH_STREET],
  [/box|bp|postbus|fach|apartado|postale|bag/i, PO_BOX],
  [CONTINENTAL_HINT, CONTINENTAL_STREET],
] as const;

function lastStreet(part: string): { start: number; end: number } | null {
  let last: { start: number; end: number } | null = null;
  for (const [hint, pattern] of STREETS) {
    if (!hint.test(part)) continue;
    for (const match of part.matchAll(pattern)) {
      const end = match.index + match[0].trimEnd().length;
      if (!last || end > last.end) last = { start: match.index, end };
    }
  }
  return last;
}

/** Assembles the street from the parts before the town, nearest first, while they look like one. */
function assembleStreet(parts: readonly string[], country: string): string | null {
  const taken: string[] = [];
  let proven = false;
  const isBritish =
    country === 'GB' || country === 'IE' || country === 'IN' || country === 'AU' || country === 'ZA';
  for (const part of parts.slice(0, 6)) {
    if (part.length > MAX_PART && !lastStreet(part)) break;
    const street = lastStreet(part);
    if (street) {
      const before = part.slice(0, street.start).trim();
      // A name before the number in the same part is the company's, unless it is a building.
      const keep =
        before === '' ||
        /^['’][st][- ]?$/.test(before) ||
        (before.length <= 40 && BUILDING_PART.test(before)) ||
        UNIT_PART.test(before);
      taken.unshift(keep ? part : part.slice(street.start));
      proven = true;
      if (!keep) break;
      continue;
    }
    // On the continent a name and a number before postcode and town are a street: `Lhota 45`.
    if (!proven && CONTINENTAL.has(country) && NAME_AND_NUMBER.test(part)) {
      taken.unshift(part);
      proven = true;
      break;
    }
    // Number and name without a word for street: `2204 E. Main`, `720 Brazos`.
    if (!proven && NUMBER_AND_NAME.test(part)) {
      taken.unshift(part);
      proven = true;
      continue;
    }
    if (UNIT_PART.test(part) || (/\d/.test(part) && BUILDING_PART.test(part))) {
      taken.unshift(part);
      proven = proven || (isBritish && /\d/.test(part));
      continue;
    }
    if (
      isBritish &&
      (isStreetName(part) || BUILDING_PART.test(part)) &&
      !/\b(?:Ltd|Limited|plc|LLP|Inc)\b/i.test(part)
    ) {
      taken.unshift(part);
      proven = true;
      continue;
    }
    // In Britain and elsewhere a district may stand between street and town.
    if (
      !proven &&
      isBritish &&
      taken.length === 0 &&
      parts.length > 1 &&
      /^[\p{Lu}][\p{L}' -]{2,30}$/u.test(part)
    ) {
      taken.unshift(part);
      continue;
    }
    break;
  }
  if (!proven) return null;
  const text = taken.join(', ').replace(/[\s,.•–-]+$/, (end) => (end.startsWith('.') ? '.' : ''));
  return text.length <= 160 ? text : null;
}

const NUMBER_AND_NAME =
  /^\d{1,6}(?:[A-Za-z]|-\d{1,4})?\s(?:(?:[NSEW]{1,2}\.?|North|South|East|West|NORTH|SOUTH|EAST|WEST)\s)?(?:[\p{Lu}][\p{L}.'’-]{1,20}|\d{1,3}(?:st|nd|rd|th|ST|ND|RD|TH))(?:\s(?:[\p{Lu}][\p{L}.'’-]{0,20}|of|the|de|la|\d{1,3}(?:st|nd|rd|th|ST|ND|RD|TH))){0,4}(?:,?\s(?:Suite|Ste|Unit|Apt|#).{1,12})?$/u;
const CONTINENTAL = new Set(
  'CZ SK PL AT CH DE IT ES BE NL LU HU SI HR SE DK NO FI EE LV LT RS GR PT'.split(' '),
);
const NAME_AND_NUMBER =
  /^(?!(?:parcela|nave|local|planta|piso|portal|oficina|bloque|escalera|puerta|stand|sala|box|etage|top|stiege|t[üu]r|haus|geb(?:[äa]ude)?|halle|hala|lok(?:al)?|m|pi[ęe]tro|patro|poschod[íi]|bus|bte|unit|appartement|interno|scala|piano|tel|fax|postfach|casella|apartado|room|suite|km|nr|no|hrb|hra)[\s.])['’]?\p{L}[\p{L}.'’]{1,25}(?:[ -]\p{L}[\p{L}.'’]{0,25}){0,4},?\s(?:n[.°ro]{0,2}\s?)?\d{1,4}(?:\s?[/-]\s?\d{1,4}){0,2}\s?[a-zA-Z]?(?:\/[A-Za-z\d]{1,3})?(?:,?\s\d{1,2}(?:st|nd|rd|th)\s[Ff]loor)?$/u;

/** A street on a line of its own, or nearly so, without town and postcode. */
function standaloneStreet(texts: readonly string[], at: number): Address | null {
  const text = texts[at] ?? '';
  const street = lastStreet(text);
  if (!street) return null;
  const written = text.slice(street.start, street.end).trim();
  const before = text
    .slice(0, street.start)
    .replace(/^.*[:,•|]\s*/, '')
    .trim();
  const after = text.slice(street.end).trim();
  if (before.length > 25 || after.length > 30 || /^\d/.test(after)) return null;
  if (!/\d/.test(written) || /^\d{1,2}\s(?:[a-z]|Day|Year|Month)/.test(written)) return null;
  if (!/^[,.•|(-]|^$/.test(after) && !isUsState(after.split(/[\s,]+/).at(-1) ?? '')) return null;
  return { text: written, street: written, city: null, region: null, postal_code: null, country: null };
}
