import { siteKey } from '../../../core/leads/domains.ts';
import { parseUrl } from '../../../core/parse-url.ts';
import { decodeUri, foldWords } from '../../../core/text.ts';
import { collapseSpaces, parsePage, select } from '../document/dom.ts';

/**
 * Including the home page. Contact page and imprint have nearly all facts; a sixth page rarely adds
 * one.
 */
export const PAGES_PER_SITE = 6;

/**
 * The contact pages that a home page links to, best first: contact, imprint, about, team. URLs are
 * never guessed: a page that nothing links to rarely exists.
 *
 * @param url of the home page, after redirects
 */
export function contactPages(html: string, url: string): string[] {
  const site = siteKey(url);
  const best = new Map<string, { kind: number; rank: number }>();
  for (const anchor of select(parsePage(html, url), 'a[href]')) {
    const link = normalizeUrl(anchor.getAttribute('href') ?? '');
    if (link === null || siteKey(link) !== site || link === normalizeUrl(url) || isFile(link)) continue;
    const kind = classifyContactPage(link, collapseSpaces(anchor.textContent));
    if (kind === null) continue;
    const known = best.get(link);
    if (!known || kind.rank < known.rank) best.set(link, kind);
  }
  const found = [...best.entries()].sort(([a, { rank: first }], [b, { rank: second }]) =>
    first === second ? a.length - b.length : first - second,
  );
  return oneOfEachKindFirst(found).slice(0, PAGES_PER_SITE - 1);
}

/** The URL without its fragment; null for anything but http(s). */
function normalizeUrl(href: string): string | null {
  const url = /^https?:/i.test(href) ? parseUrl(href) : null;
  if (!url) return null;
  url.hash = '';
  return url.href;
}

const isFile = (url: string): boolean =>
  /\.(pdf|docx?|xlsx?|pptx?|zip|jpe?g|png|gif|svg|webp|mp4|mp3|vcf|ics|xml|json|css|js)$/i.test(
    new URL(url).pathname,
  );

/**
 * Words in the URL or link text, by kind of page, best first. Folded: no accents, `ü` as `u` (URLs
 * have `ue`). European languages, and some Asian ones in their own script.
 */
const KINDS: readonly RegExp[] = [
  /\b(contact|contacts|contact us|contactez( nous)?|nous contacter|kontakt\w*|contacto|contactenos|contactanos|contatti|contattaci|contato|contate nos|contactar|neem contact op|yhteystiedot|ota yhteytta|elerhetoseg|iletisim|get in touch|reach us|find us|anfahrt|standorte?|locations?|offices?|visit us)\b|контакт|επικοινωνια|お問い合わせ|联系|聯絡|문의|اتصل/,
  /\b(impressum|imprint|legal notice|site notice|mentions legales|aviso legal|note legali|legal|colofon|colophon|anbieterkennzeichnung|company (details|information)|rechtliches|tietoa yrityksesta)\b|特定商取引|会社概要/,
  /\b(about|about us|uber uns|ueber uns|uber mich|ueber mich|wir uber uns|a propos|qui sommes nous|quienes somos|sobre( nosotros| nos)?|nosotros|chi siamo|over ons|o nas|om oss|om os|meista|rolunk|hakkimizda|unternehmen|firma|company|empresa|azienda|entreprise|profil)\b|о нас|о компании|关于|회사소개/,
  /\b(team|our team|the team|people|staff|mitarbeiter\w*|ansprechpartner\w*|equipe|notre equipe|equipo|squadra|zespol|tym|medarbejdere|ansatte|henkilokunta|leadership|management|praxisteam)\b/,
];

const NEVER =
  /\b(privacy|datenschutz|cookies?|agb|terms|conditions|login|signin|sign in|register|cart|warenkorb|jobs?|karriere|career|careers|blog|news|press|presse|mailto|feed|rss|wp admin|contact lens(es)?|kontaktlinsen)\b/;

function classifyContactPage(link: string, text: string): { kind: number; rank: number } | null {
  const path = foldWords(decodeUri(new URL(link).pathname + new URL(link).search));
  const words = foldWords(text);
  if (NEVER.test(words) || NEVER.test(path)) return null;
  for (const [kind, pattern] of KINDS.entries()) {
    // A long text that mentions the word is a teaser, not a menu entry.
    if (pattern.test(path) || (words.length <= 40 && pattern.test(words))) {
      // A path of up to two segments is the page itself; deeper ones are details.
      const depth = new URL(link).pathname.split('/').filter(Boolean).length;
      return { kind, rank: kind + Math.max(0, depth - 2) };
    }
  }
  return null;
}

function oneOfEachKindFirst(found: [string, { kind: number }][]): string[] {
  const kinds = new Set<number>();
  const first: string[] = [];
  const others: string[] = [];
  for (const [url, { kind }] of found) {
    if (kinds.has(kind)) others.push(url);
    else first.push(url);
    kinds.add(kind);
  }
  return [...first, ...others];
}
