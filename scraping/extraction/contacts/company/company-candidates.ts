import { parseUrl } from '../../../../core/parse-url.ts';
import { collapseSpaces } from '../../document/dom.ts';
import { type Entity, propertyTexts } from '../entities.ts';
import { metaContent, type PageElements } from '../page-elements.ts';
import type { Line } from '../page-lines.ts';
import { isBusiness } from '../structured-contacts.ts';

/** A possible name of the business, with its evidence. */
export interface Candidate {
  name: string;
  method: string;
  snippet: string;
  weight: number;
}

/**
 * Every place where a page may name its owner. Most hold no name: the vote in `findCompany`
 * decides.
 */
export function companyCandidates(
  page: PageElements,
  lines: readonly Line[],
  entities: readonly Entity[],
  host: string,
): Candidate[] {
  const found: Candidate[] = [];
  const add = (text: string | null | undefined, method: string, weight: number, snippet = text) => {
    const name = cleanName(text ?? '');
    if (name !== null) found.push({ name, method, weight, snippet: snippet ?? '' });
  };

  for (const entity of entities) {
    if (entity.types.includes('WebSite'))
      for (const name of propertyTexts(entity, 'name')) add(name, entity.method, 2.5);
    if (!isBusiness(entity)) continue;
    for (const name of propertyTexts(entity, 'name'))
      add(name, entity.method, entity.role === null || entity.role === 'publisher' ? 4 : 2.5);
    for (const name of propertyTexts(entity, 'legalName', 'alternateName')) add(name, entity.method, 1.5);
  }

  add(metaContent(page, 'og:site_name'), 'open_graph', 4);
  add(metaContent(page, 'application-name', 'apple-mobile-web-app-title'), 'meta', 2.5);
  add(metaContent(page, 'copyright', 'dc.publisher', 'publisher', 'dcterms.publisher'), 'meta', 2);
  add(metaContent(page, 'author', 'owner', 'company'), 'meta', 1.2);

  const title = collapseSpaces(page.title).slice(0, 300);
  for (const { name, weight } of titleNames(title)) add(name, 'title', weight, title);
  const shared = collapseSpaces(metaContent(page, 'og:title')).slice(0, 300);
  if (shared !== title)
    for (const { name, weight } of titleNames(shared)) add(name, 'open_graph', weight * 0.5, shared);

  for (const line of lines) {
    const owner = copyrightOwner(line.text);
    if (owner) add(owner, 'copyright', 3, line.text);
  }

  for (const image of page.images.slice(0, 60)) {
    const alt = image.getAttribute('alt')?.trim() || image.getAttribute('title') || '';
    if (alt === '' || alt.length > 90) continue;
    const link = image.closest('a[href]');
    const leadsHome = link !== null && isHome(link.getAttribute('href') ?? '', host);
    const named = `${image.id} ${image.getAttribute('class') ?? ''} ${image.getAttribute('src')?.split('/').at(-1) ?? ''} ${alt} ${image.parentElement?.id ?? ''} ${image.parentElement?.getAttribute('class') ?? ''}`;
    const isLogo = /logo|brand(?!s)|masthead/i.test(named);
    if (isLogo || leadsHome)
      add(
        alt.replace(/\b(?:the\s)?(?:official\s)?logo(?:type)?\b(?:\sof\b)?|\bhome\s?page\b/gi, ' '),
        'logo',
        isLogo && leadsHome ? 3 : leadsHome ? 2 : 1.2,
        alt,
      );
  }
  for (const link of page.links.slice(0, 80)) {
    if (!isHome(link.getAttribute('href') ?? '', host)) continue;
    for (const text of [link.getAttribute('title'), link.textContent])
      if (text && text.length < 80) add(text, 'home_link', 1.5, text);
  }
  for (const element of page.logos.slice(0, 10))
    add(collapseSpaces(element.textContent).slice(0, 100), 'logo', 2);
  for (const heading of page.headings.slice(0, 3))
    add(collapseSpaces(heading.textContent).slice(0, 100), 'heading', 0.8);
  for (const line of lines.slice(0, 3000))
    for (const name of legalNames(line.text))
      add(name, 'text', line.area === 'footer' ? 0.8 : 0.4, line.text);
  // A line above an address or a number, as in a letterhead.
  lines.forEach(({ text }, at) => {
    const next = lines[at + 1]?.text ?? '';
    if (text.length <= 60 && /^\d{1,5}\s|P\.?\s?O\.?\s?Box|^(?:Suite|Unit)\s/i.test(next))
      add(text, 'text', 1, text);
  });
  return found;
}

/** Characters of a name with the text around it. */
const LONGEST = 500;

/**
 * The name without the words around it: `Welcome to Acme!`, `Contact Acme`, `© 2024 Acme`. Null for
 * text that names no business.
 */
export function cleanName(written: string): string | null {
  const text = written.slice(0, LONGEST);
  if (GENERIC.test(collapseSpaces(text))) return null;
  let name = collapseSpaces(text.replace(/&amp;|& amp\b/g, '&').replace(/[\uE000-\uF8FF]/g, ''))
    .replace(/\s*[™®©]|\s\((?:tm|r|c)\)|\s+SM$/gi, '')
    .replace(
      /^(?:welcome to|contact(?:ing)?(?: us)?|about(?: us)?|visit|return to|back to|go to|home\s?[-–:|]|link to:?|the home of|homepage(?: of)?|why|meet|copyright|by|impressum\s[-–|])\s+(?=\S)/i,
      '',
    )
    .replace(
      /\s(?:home\s?page|home|website|web site|on (?:facebook|twitter|linkedin)|contact (?:us|form)|about us|official site|llc\.?,? all rights reserved.*)$/i,
      '',
    )
    .replace(/^["'“”‘’\s\-–—|:•·,.»«]+|["'“”‘’\s\-–—|:•·,»«]+$/g, '');
  if (/[^A-Z.]\.$/.test(name) && !/\b(?:inc|ltd|co|corp|bros|l\.l\.c|s\.r\.l|s\.p\.a|gmbh)\.$/i.test(name))
    name = name.slice(0, -1);
  if (name.length < 2 || name.length > 70 || !/\p{L}/u.test(name)) return null;
  if (name.split(' ').length > 9 || GENERIC.test(name) || /https?:|@|\d{3}[-.\s]\d{4}/.test(name))
    return null;
  return name;
}

const GENERIC =
  /^(?:(?:the |our |your |my )?(?:home(?: ?page)?|start(?:seite)?|welcome|index|main|about(?: us)?|contact(?:s| us| page| form| info(?:rmation)?)?|services?|products?|news|blog|logo|image|banner|header|footer|menu|search|log ?in|sign ?in|sign ?up|register|cart|shop|store|faqs?|help|support|privacy(?: policy| statement)?|terms(?: (?:and|&) conditions| of (?:use|service))?|sitemap|site map|testimonials|team|staff|careers?|jobs|gallery|portfolio|untitled(?: document)?|new page.*|default|page not found|404.*|facebook|twitter|linkedin|youtube|instagram|google(?: ?\+| plus)?|pinterest|rss|email|e-mail|phone|click here|read more|learn more|more|back|next|previous|top|info|company|business|customer service|directions|locations?|address|online|all rights reserved|website|impressum|kontakt|startseite|datenschutz|accueil|contactez-nous|mentions légales|inicio|contacto|chi siamo|contatti|overview|our company|company (?:overview|profile)|mission|history|resources|events|photos?|videos?|map|skip to (?:main )?content|skip to .*|toggle navigation|all|prev|next page|page|share|statement|print|go|who are we|trademarks?|(?:shipping|return|refund|cookie|privacy) policy|close|open|english|deutsch|français|español|wordpress|joomla|drupal|shopify|wix|just another wordpress site|my account|checkout|quality|policies|shipping(?: information)?|returns|request (?:a )?quote|free quote|get (?:a )?quote|subscribe|newsletter|solutions|industries|partners|clients|projects|what we do|who we are|meet the team|our team|press|media|reviews|specials|pricing|features|download|copyright|author|admin|administrator|webmaster))[.!?:»›]*$/i;

const SEPARATORS = /\s[|–—\-»:·•~▪>]{1,2}\s|\s?[|»▪]\s?|\s?::\s?|:\s/;

/** Parts of a page's title that may name its site: usually the first or the last. */
function titleNames(title: string): { name: string; weight: number }[] {
  const parts = title
    .split(SEPARATORS)
    .map((part) => part.trim())
    .filter(Boolean);
  if (parts.length === 0) return [];
  const names = parts.map((name, at) => ({
    name,
    weight: parts.length === 1 ? 1.5 : at === parts.length - 1 ? 2 : at === 0 ? 1.5 : 0.8,
  }));
  // `Lending Services from Utah Lawyer Loans`, `Contact Kent Bathroom Fitters Flint & Son`
  for (const part of parts) {
    const after = /\s(?:by|from|at|with)\s(\p{Lu}[^|]{2,50})$/u.exec(part)?.[1];
    if (after) names.push({ name: after, weight: 0.8 });
    const before = /^(\p{Lu}[^|]{2,50}?)\s(?:[-–]|in|of|serving|offers?|for|is|based)\s/u.exec(part)?.[1];
    if (before) names.push({ name: before, weight: 0.5 });
  }
  return names;
}

/** The owner in a copyright line: `© 2001-2024 Acme, Inc. All rights reserved.` */
function copyrightOwner(text: string): string | null {
  const match =
    /(?:©|\(c\)|copyright|&copy;)(?:\s|©|\(c\)|copyright|by|:|,|[-–—]|(?:19|20)\d\d|\d{2}(?=\s)|present|-|–|\.)*/iu.exec(
      text,
    );
  if (!match || match[0].length > 80) return null;
  const behind = text.slice(match.index + match[0].length).slice(0, 120);
  const owner =
    /^(?:the copyright of\s)?([^|•·©;\t]{2,90}?)(?=\s?[|•·©;]|,?\s(?:19|20)\d\d|\.?\s?-?\s?(?:all\s+rights?|alle\s+rechte|tous\s+droits|todos\s+(?:los|os)\s+d|tutti\s+i\s+d|rights\s+reserved)|\.\s(?!(?:inc|llc|ltd|co|s\.)\b)|\s[-–—]\s|\s(?:powered|designed|website|site|web\sdesign|design|privacy|terms|registered|is\sa|reserved|tel|phone|disclaimer|sitemap)\b|$)/iu.exec(
      behind,
    )?.[1];
  if (owner && owner.trim().length > 1) return owner;
  // `Acme Ltd © 2024`
  return /([\p{Lu}][^|•·©;.\t]{1,50}?)\s?,?\s?$/u.exec(text.slice(0, match.index))?.[1] ?? null;
}

const LEGAL_FORM =
  '(?:Inc|LLC|L\\.L\\.C|Ltd|Limited|Corp|Corporation|PLC|plc|LLP|L\\.L\\.P|GmbH(?:\\s&\\sCo\\.?\\sKG)?|AG|KG|OHG|UG|e\\.K|S\\.?A\\.?R\\.?L|SARL|SAS|S\\.A|S\\.L|S\\.r\\.l|S\\.p\\.A|B\\.V|N\\.V|BV|NV|AB|ApS|A/S|AS|Oy|Oyj|Lda|Ltda|Pty\\.?\\sLtd|Pvt\\.?\\sLtd|Sp\\.\\sz\\so\\.o|s\\.r\\.o|a\\.s|Kft|d\\.o\\.o|PC|P\\.C|P\\.A|PLLC)';
const LEGAL_NAME = new RegExp(
  `(?<![\\p{L}\\d])((?:[\\p{Lu}\\d][\\p{L}\\d.'’&-]{0,24},?\\s(?:(?:&|and|of|the|und|et|de)\\s)?){1,5}${LEGAL_FORM})(?![\\p{L}])`,
  'gu',
);

const HAS_LEGAL_FORM = new RegExp(`\\s${LEGAL_FORM}(?![\\p{L}])`, 'u');

function legalNames(text: string): string[] {
  if (!HAS_LEGAL_FORM.test(text)) return [];
  return [...text.matchAll(LEGAL_NAME)].map((match) => match[1] ?? '').slice(0, 5);
}

/** The legal form at the start of a text: ` Ltd.` */
export const legalFormAt = (text: string): string | undefined =>
  new RegExp(`^,?\\s(?:${LEGAL_FORM})(?![\\p{L}])\\.?`, 'iu').exec(text)?.[0];

/** `Acme` of `Acme, Inc.` */
export const withoutLegalForm = (name: string): string =>
  name
    .replace(new RegExp(`[\\s,]+(?:${LEGAL_FORM}|Co)\\.?(?:[\\s,]+(?:${LEGAL_FORM})\\.?)?$`, 'iu'), '')
    .trim() || name;

function isHome(href: string, host: string): boolean {
  const url = parseUrl(href);
  if (!url) return false;
  const { hostname, pathname, search } = url;
  return (
    hostname.replace(/^www\./, '') === host &&
    search === '' &&
    /^\/(?:(?:index|home|default)(?:\.\w{2,5})?)?$/i.test(pathname)
  );
}
