import { parseUrl } from '../../../core/parse-url.ts';
import { collapseSpaces, isText, readText, select, selectFirst } from '../document/dom.ts';
import { nextNode } from '../document/traverse.ts';
import { once } from '../once.ts';
import { ARTICLE, type BylineSource, stringIn, writtenThings } from './byline.ts';
import { flattenThings, isOfType, type Thing } from './structured-data.ts';

/**
 * Names of the authors, in page order; at most 10. From what the page declares (structured data,
 * meta tags, microdata), else from the byline beside its heading. A person goes before an
 * organisation: many sites declare themselves as the author and name the writer in the byline.
 */
export function findAuthors(source: BylineSource): string[] {
  const { document, tags } = source;
  const isWritten = once(() => isWrittenText(source));
  // One after the other, because each attempt walks the page.
  const attempts = [
    () => structuredAuthors(source),
    () => AUTHOR.map((name) => tags.get(name)),
    () => [labelledAuthor(source)],
    () => [microdataAuthor(document)],
    () => [firstPoster(document)],
    () => markedAuthors(document, isWritten),
    () => (isWritten() ? authorLinks(document) : []),
    () => writtenBylines(document, isWritten),
  ];
  let organisation: string[] = [];
  for (const attempt of attempts) {
    const names = cleanNames(attempt(), source);
    const people = names.filter((name) => !ORGANISATION.test(name));
    if (people.length > 0) return people.slice(0, 10);
    if (organisation.length === 0) organisation = names;
  }
  return organisation.slice(0, 10);
}

const AUTHOR = [
  'author',
  'dc.creator',
  'dcterms.creator',
  'article:author',
  'article:author_name',
  'og:article:author',
  'parsely-author',
  'sailthru.author',
  'shareaholic:article_author_name',
  'cxenseparse:author',
  'citation_author',
  'byl',
];

type Names = (string | null | undefined)[];

/** What has a writer although it is no article. */
const MADE = /^(Recipe|HowTo|Course|PodcastEpisode|Review|WebPage|BlogPosting|CreativeWork)$/;

function structuredAuthors(source: BylineSource): Names {
  const things = flattenThings(source.jsonLd);
  const byId = new Map(things.flatMap((thing) => (thing.name ? [[thing['@id'], thing] as const] : [])));
  const made = things.filter((thing) => isOfType(thing, MADE));
  const written = [...writtenThings(source).filter((thing) => isOfType(thing, ARTICLE)), ...made];
  const names = written.map(({ author, creator }) =>
    [author ?? creator].flat().map((one) => nameIn(one, byId)),
  );
  return names.find((each) => each.some((name) => name && !NOBODY.test(name))) ?? [];
}

function nameIn(author: unknown, byId: ReadonlyMap<unknown, Thing>): string | undefined {
  if (typeof author === 'string') return author;
  if (typeof author !== 'object' || author === null) return undefined;
  const thing = author as Thing;
  return stringIn(thing.name) ?? stringIn(byId.get(thing['@id'])?.name);
}

/** WordPress writes the author as a pair of tags for link previews. */
function labelledAuthor({ tags }: BylineSource): string | undefined {
  const label = ['1', '2'].find((each) => LABELS_OF_AUTHOR.test(tags.get(`twitter:label${each}`) ?? ''));
  return label ? tags.get(`twitter:data${label}`) : undefined;
}

const LABELS_OF_AUTHOR =
  /^(written by|posted by|author|by|geschrieben von|verfasst von|autor|écrit par|rédigé par|auteur|escrito por|por|scritto da|autore|geschreven door|auteur|napisane przez|skriven av|skrevet av|skrevet af|written-by|написано автором|автор)\b/i;

/** The author of the page itself, not of a review or a listed item. */
function microdataAuthor(document: Document): string | null | undefined {
  const author = select(document, '[itemprop="author"]').find(
    (element) =>
      element.closest('[itemprop~="review"], [itemprop="comment"]') === null &&
      !/Review|Product|Book|Comment|ListItem/.test(
        element.parentElement?.closest('[itemscope]')?.getAttribute('itemtype') ?? '',
      ),
  );
  const name = author?.querySelector('[itemprop="name"]') ?? author;
  return name?.getAttribute('content') ?? name?.textContent;
}

const POST = /^(SHREDDIT-POST|ARTICLE)$/;

/** Who began a thread, by the names that forum software gives the author of a post. */
function firstPoster(document: Document): string | null {
  const post = select(document, '[author], [data-author]').find(({ tagName }) => POST.test(tagName));
  if (post) return post.getAttribute('author') ?? post.getAttribute('data-author');
  // Single classes are looked up in an index; a selector with a combinator walks the page.
  const holder = selectFirst(
    document,
    '.postprofile, .author_information, .postleft, .bigusername, .PostUser-name, .post-container',
  );
  if (!holder) return null;
  const name = /\b(bigusername|PostUser-name)\b/.test(holder.getAttribute('class') ?? '')
    ? holder
    : select(holder, '.username, .username-coloured, .person-listing, .largetext, strong')[0];
  return name ? collapseSpaces(readText(name)) : null;
}

const MARKED =
  '[rel="author"], [class*="uthor"], [class*="utor"], [class*="uteur"], [class*="yline"], [class*="yLine"], [class*="edakteur"]';
const MARK =
  /(^|[-_])(authors?|autor(en|es|in)?|auteurs?|byline|by-line|redakteur)(-{1,2}|_{1,2}|$)(name|names|link|text|item|meta|label|wrapper|content|credit|title)?$/;
/** Elements beside the page's own text. */
const ASIDE =
  /comment|respond|disqus|related|(?<!(has|with|no|left|right|both)[-_]?)sidebar|widget[-_](area|title|content)|widget_|teaser|popular|recent|recommend|carousel|slider|testimonial|review-item|\bbio\b|newsletter|footer-|site-footer|read-?more/i;
/** Wrappers of the whole page are named after what they hold as well. */
const ASIDE_LEVELS = 6;
const MAX_MARKED = 40;

/** The elements marked as the byline. Many with different names are a list of texts. */
function markedAuthors(document: Document, isWritten: () => boolean): Names {
  const marked = select(document, MARKED).slice(0, MAX_MARKED);
  const found: string[][] = [];
  for (const element of marked) {
    const isMarked =
      element.getAttribute('rel') === 'author' || classesOf(element).some((name) => MARK.test(name));
    if (!isMarked || isAside(element)) continue;
    const names = namesOf(element);
    if (names.length > 0) found.push(names);
  }
  const distinct = new Set(found.map((names) => plain(names.join())));
  if (distinct.size > MAX_BYLINES && !isWritten()) return [];
  return found[0] ?? [];
}

const MAX_BYLINES = 2;

const classesOf = (element: Element): string[] =>
  (element.getAttribute('class') ?? '')
    .slice(0, 300)
    .split(/\s+/)
    .map((name) => name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase());

function isAside(element: Element): boolean {
  let up: Element | null = element;
  for (let steps = 0; up && up.tagName !== 'BODY' && steps < ASIDE_LEVELS; steps += 1) {
    if (up.tagName === 'ASIDE' || up.tagName === 'NAV') return true;
    if (ASIDE.test(`${up.getAttribute('class') ?? ''} ${up.getAttribute('id') ?? ''}`.slice(0, 300)))
      return true;
    if (up.tagName === 'ARTICLE' && steps > 0) return false;
    up = up.parentElement;
  }
  return false;
}

/** The names in a byline: its links, else its text. */
function namesOf(element: Element): string[] {
  const inner = element.tagName === 'A' ? [] : select(element, 'a[href]');
  const named = element.querySelector('.fn, [itemprop="name"]');
  const linked = (inner.length === 0 && named ? [named] : inner.slice(0, 6))
    .map((link) => withoutLabel(collapseSpaces(readText(link))))
    .filter(isUserName);
  const people = linked.filter(isPersonName);
  if (people.length > 0) return people;
  if (linked.length === 1) return linked;
  const text = withoutLabel(spacedText(element));
  const isLink = element.tagName === 'A' || Boolean(named);
  return isPersonName(text) || (isLink && isUserName(text)) ? [text] : [];
}

/** The text with a space between its parts, which the page shows apart. */
function spacedText(element: Element): string {
  let text = '';
  for (
    let node: Node | null = element.firstChild;
    node && text.length < LONGEST;
    node = nextNode(node, element)
  ) {
    if (isText(node)) text += ` ${node.data}`;
  }
  return collapseSpaces(text);
}

/**
 * Links to an author page. A list of articles links to several, and none of them wrote the list.
 */
function authorLinks(document: Document): Names {
  const links = select(
    document,
    'a[href*="/author/"], a[href*="/authors/"], a[href*="/autor/"], a[href*="/auteur/"], a[href*="/writers/"]',
  );
  const names = new Set(
    links
      .map((link) => withoutLabel(collapseSpaces(readText(link))))
      .filter((name) => /^\p{Lu}[^|]{2,60}$/u.test(name)),
  );
  return names.size <= 2 ? [...names].slice(0, 1) : [];
}

/** A line near the heading that says by whom: `By Ada Brookes`, or `von` before a link. */
function writtenBylines(document: Document, isWritten: () => boolean): Names {
  if (!isWritten() && select(document, 'h1').length !== 1) return [];
  const root = selectFirst(document, 'article') ?? selectFirst(document, 'main') ?? document.body;
  if (!root) return [];
  let left = MAX_TEXTS;
  for (let node: Node | null = root.firstChild; node && left > 0; node = nextNode(node, root)) {
    if (!isText(node) || node.data.length > MAX_LINE) continue;
    const start = node.data.trimStart();
    if (start === '') continue;
    left -= 1;
    if (!BY.test(start)) continue;
    const line = collapseSpaces(start);
    const name = withoutLabel(line);
    const candidate = /^\S+$/.test(line)
      ? collapseSpaces(node.nextSibling && readText(node.nextSibling))
      : name;
    if (isPersonName(candidate) && candidate !== line && node.parentElement && !isAside(node.parentElement))
      return [candidate];
  }
  return [];
}

const BY =
  /^(by|von|par|por|door|text|text von|texte|words|words by|story by|written by|posted by|autor|autorin|author|auteur|geschrieben von|verfasst von|ein beitrag von|ein artikel von|автор|автор:)(:?$|:? )/i;
const MAX_LINE = 90;
const MAX_TEXTS = 300;

const LABEL =
  /^(?:(?:this )?(?:article|story|post|review|words|text|photos?|report|reported|written|posted|published|submitted|contributed|guest post|interview|ein beitrag|ein artikel|gastbeitrag|kommentar|geschrieben|verfasst|veröffentlicht|erstellt|gespeichert|eingestellt|publié|écrit|rédigé|posté|proposé|escrito|publicado|scritto|pubblicato|geschreven|zeige alle (?:beiträge|artikel)|alle (?:beiträge|artikel|artikel und beiträge)|(?:view|read|see) all (?:posts|articles|stories)|all posts|posts|mehr|more) )?(?:by|von|vom|par|por|da|door|przez|from)[:\s]+|^(?:authors?|autor(?:in|en|es|i)?|auteurs?|autore|redakteur(?:in)?|redaktion|text|texte|words|foto|автор|von)(?::\s*|\s+(?=\p{Lu}))/iu;

/** Without the words before a name and what follows it. */
function withoutLabel(text: string): string {
  return text
    .slice(0, LONGEST)
    .replace(LABEL, '')
    .replace(LABEL, '')
    .replace(/\s+[\d.,]+k?\s*\d* (gold|silver|bronze) badge.*$/i, '')
    .replace(/\s*[|•·●/–—].*$/, '')
    .replace(/[\s,(]+((on|am|vom|le|el|em|il|op|at|um|den) )?\d.*$/i, '')
    .replace(
      /,?\s*(updated|published|posted|veröffentlicht|aktualisiert|publié|publicado|in category|in der kategorie)\b.*$/i,
      '',
    )
    .replace(/[\s,:;(-]+$/, '');
}

const PARTICLES =
  'von|van|de|der|den|del|della|di|da|do|dos|du|la|le|el|bin|al|ten|ter|zu|zur|y|e|und|and|et|og|i|och|&';
const PERSON = new RegExp(
  `^(\\p{Lu}[\\p{L}\\p{M}.'’-]*|(${PARTICLES})(?=\\s))([, ]+(\\p{Lu}[\\p{L}\\p{M}.'’-]*|(${PARTICLES})(?=\\s))){1,7}$`,
  'u',
);
const isPersonName = (text: string): boolean =>
  text.length <= 80 && PERSON.test(text) && !NOT_A_NAME.test(text) && !NOBODY.test(text);
const isUserName = (text: string): boolean =>
  text.length >= 2 &&
  text.length <= 40 &&
  text.split(' ').length <= 4 &&
  !NOT_A_NAME.test(text) &&
  !NOBODY.test(text);

/** Words of menus, buttons and dates, which stand where names do. */
const NOT_A_NAME =
  /\b(authors?|read|more|view|all|posts?|articles?|about|follow|share|comments?|contact|website|twitter|facebook|instagram|linkedin|e-?mail|home|news|article|january|february|march|april|june|july|august|september|october|november|december|januar|februar|märz|juni|juli|oktober|dezember|mehr|alle|beiträge|artikel|über|autoren|kommentare?|the|this|our|your|photo|image|getty|reuters|published|updated|subscribe|newsletter|show|bio|profile|profil)\b|[<>{}@#!?=_]|https?:|www\.|\d{3}/i;

/** The texts that can be names, distinct, without the words around a name. */
function cleanNames(texts: Names, { siteName, url }: BylineSource): string[] {
  const host = plain(parseUrl(url)?.hostname.replace(/^www\.|\.[a-z]+$/g, '') ?? '');
  const site = plain(siteName ?? '');
  const found = texts
    .map((text) => collapseSpaces(text ?? '').slice(0, LONGEST))
    .map((text) => text.replace(/^(written |posted |published )?by[:\s]+/i, '').replace(LABEL, ''))
    .map((text) => withoutSite(text, siteName))
    .map((text) => text.replace(/\s+[\d.,]+k?\s*\d* (gold|silver|bronze) badge.*$/i, ''))
    .map((text) =>
      text.replace(/\s*([|•·].*|,?\s*(updated|published|posted).*)$/i, '').replace(/[\s,:;]+$/, ''),
    )
    .filter(
      (text) =>
        text.length > 1 && text.length <= 80 && !/https?:|www\.|@|\[at\]|\.com\/|[<>{}]|^\d+$/.test(text),
    )
    .filter((text) => !NOBODY.test(text))
    .filter((text) => {
      const name = plain(text);
      return name !== site && name !== host && name.length > 1;
    });
  return [...new Set(found)];
}

/** `Site - Ada Brookes` and `Ada Brookes, Site` without the site. */
function withoutSite(text: string, siteName: string | undefined): string {
  if (!siteName || siteName.length < 3) return text;
  const parts = text.split(/\s+[-–—|]\s+|,\s+/);
  if (parts.length < 2) return text;
  const rest = parts.filter((part) => plain(part) !== plain(siteName));
  return rest.length === parts.length ? text : rest.join(', ');
}

/** Characters of a possible name with the text around it. */
const LONGEST = 500;

const NOBODY =
  /^(home|contributors to .*|admin|administrator|editor|editorial|staff|team|unknown|anonymous|guest|author|authors|autor|webmaster|user|root|null|undefined|wordpress|default|super ?user|contributors?|publisher|by|von|zvg)( (team|staff|user))?$|\b(inc|llc|ltd|gmbh|corp|team|staff|editors)\b\.?$/i;

const ORGANISATION =
  /\.(de|com|at|ch|net|org|info|tv|fr|es|it|nl|pl|ru|uk)\b|\be\. ?v\.|\b(redaktion|magazin|magazine|zeitung|verlag|verband|institute?|instituts|stiftung|bund|universität|university|university of|news|media|press|presse|agentur|agency|ministerium|gesellschaft|verein|foundation|association|company|group|online|desk|newsroom|rédaction|redacción|redação|redazione|redactie|redakcja|редакция|landesanstalt|bundesamt|radio|television|tv|blog|team)\b|^\p{Lu}{2,4}$/iu;

const plain = (text: string) => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join('');

const isWrittenText = (source: BylineSource): boolean =>
  /^article/.test(source.tags.get('og:type') ?? '') ||
  writtenThings(source).some((thing) => isOfType(thing, ARTICLE));
