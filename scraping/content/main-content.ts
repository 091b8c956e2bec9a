import { collapsed, isElement, isText, select } from './dom.ts';

/**
 * The part of a page somebody came to read. It takes away what is surely not content and keeps the rest, rather than picking the
 * one best block as Readability does: documentation, listings and shop pages are not one block, and a page with a little
 * clutter serves its reader better than one with a hole. Changes the document.
 */
export function mainContent(document: Document): Element {
  removeInvisible(document);
  const body = bodyOf(document);
  const title = titleHeading(document);
  prune(body, false, { measures: measure(body), holders: holdersOfContent(body) });
  const root = chooseRoot(body);
  if (title && !root.querySelector('h1')) root.insertBefore(title, root.firstChild);
  return root;
}

/** The whole page without what nobody sees. Changes the document. */
export function wholeContent(document: Document): Element {
  removeInvisible(document);
  return bodyOf(document);
}

/** A page made of frames has no body. */
const bodyOf = (document: Document): Element => document.body ?? document.documentElement;

const INVISIBLE =
  'script, style, noscript, template, link, meta, base, title, iframe, object, embed, svg, canvas, dialog:not([open]), button, input, select, textarea, [hidden], [aria-hidden="true"]';

function removeInvisible(document: Document): void {
  for (const element of select(bodyOf(document), INVISIBLE)) element.remove();
  for (const element of select(bodyOf(document), '[style]')) {
    if (/(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)/i.test(element.getAttribute('style') ?? ''))
      element.remove();
  }
}

/** A heading that says what the page's title says, kept even if it stands in a page header that goes. */
function titleHeading(document: Document): Element | null {
  const headings = select(document, 'h1');
  const pageTitle = collapsed(document.title).toLowerCase();
  const isTitle = (heading: Element) => {
    const text = collapsed(heading.textContent).toLowerCase();
    return text.length > 3 && pageTitle.includes(text);
  };
  const found = headings.find(isTitle);
  return found ? (found.cloneNode(true) as Element) : null;
}

interface Measure {
  text: number;
  linkText: number;
}

/** Characters of text, and how many of them are links, for every element in one walk. */
function measure(root: Element): Map<Element, Measure> {
  const measures = new Map<Element, Measure>();
  const visit = (element: Element, inLink: boolean): Measure => {
    const isLink = inLink || element.tagName === 'A';
    const sum: Measure = { text: 0, linkText: 0 };
    for (let child = element.firstChild; child; child = child.nextSibling) {
      if (isText(child)) {
        const length = collapsed(child.data).length;
        sum.text += length;
        if (isLink) sum.linkText += length;
      } else if (isElement(child)) {
        const inner = visit(child, isLink);
        sum.text += inner.text;
        sum.linkText += inner.linkText;
      }
    }
    measures.set(element, sum);
    return sum;
  };
  visit(root, false);
  return measures;
}

const KEPT_TAGS = new Set(['BODY', 'MAIN', 'ARTICLE', 'H1', 'PRE', 'CODE', 'TABLE', 'TBODY', 'TR', 'P']);
const CLUTTER_ROLES = new Set([
  'navigation',
  'banner',
  'contentinfo',
  'search',
  'complementary',
  'menu',
  'menubar',
  'dialog',
  'alertdialog',
]);

/** Names that are clutter wherever they stand. */
const SURE_NAMES =
  /(^|[\s_-])(cookies?|cookie-?(banner|bar|notice|consent)|consent|gdpr|nav-?header|nav-?footer|navbar|site-?(nav|menu|header|footer)|global-?nav|skip-?(link|nav|to-content)|breadcrumbs?|masthead|newsletter|social-?(share|links|media)|share-?(buttons?|bar|links)|sharing|advert(isement)?s?|sponsored|pop-?up|modal|pagination|headerlink|edit-?(page|link))($|[\s_-])/i;
/** Names that are clutter when they hold mostly links. */
const LINK_NAMES =
  /(^|[\s_-])(nav|navigation|menu|sidebar|side-?bar|footer|header|related|recommended|see-?also-?links|tags?|toolbar|widget|promo|banner|ads?|comments?-?nav|pager|toc-?(nav|menu|sidebar))($|[\s_-])/i;

interface Facts {
  measures: ReadonlyMap<Element, Measure>;
  /** Elements that have the content inside of them. */
  holders: ReadonlySet<Element>;
}

/** One walk, top down: what is inside of something removed is not looked at. */
function prune(parent: Element, inContent: boolean, facts: Facts): void {
  let next: Element | null;
  for (let element = parent.firstElementChild; element; element = next) {
    next = element.nextElementSibling;
    if (isClutter(element, inContent, facts)) element.remove();
    else prune(element, inContent || isContent(element), facts);
  }
}

function isClutter(element: Element, inContent: boolean, { measures, holders }: Facts): boolean {
  const { text, linkText } = measures.get(element) ?? { text: 0, linkText: 0 };
  const whole = measures.get(bodyOf(element.ownerDocument))?.text ?? 0;
  const linkShare = text === 0 ? 0 : linkText / text;
  const { tagName } = element;
  const name = `${element.getAttribute('class') ?? ''} ${element.getAttribute('id') ?? ''}`;

  if (tagName === 'NAV') return true;
  if (CLUTTER_ROLES.has(element.getAttribute('role') ?? '')) return !holders.has(element);
  if (tagName === 'ASIDE') return !inContent || linkShare > 0.5;
  // A page's own header and footer; those of an article hold its title, its author, its sources.
  if (tagName === 'FOOTER') return !inContent || linkShare > 0.4;
  if (tagName === 'HEADER') return !inContent && !holders.has(element);
  // Whatever it is called, half of the page is not clutter.
  if (text > whole / 2 || holders.has(element)) return false;
  if (tagName !== 'TABLE' && KEPT_TAGS.has(tagName)) return false;
  if (SURE_NAMES.test(name)) return true;
  return LINK_NAMES.test(name) && text > 0 && linkShare > 0.5;
}

const isContent = (element: Element): boolean =>
  element.tagName === 'MAIN' || element.tagName === 'ARTICLE' || element.getAttribute('role') === 'main';

function holdersOfContent(body: Element): Set<Element> {
  const holders = new Set<Element>();
  for (const content of select(body, 'main, article, [role="main"]')) {
    let holder: Element | null = content;
    while (holder && !holders.has(holder)) {
      holders.add(holder);
      holder = holder.parentElement;
    }
  }
  return holders;
}

const textLength = (element: Element): number => collapsed(element.textContent).length;

function chooseRoot(body: Element): Element {
  const whole = textLength(body);
  const mains = select(body, 'main, [role="main"]');
  const articles = select(body, 'article');
  // Several articles are a listing, of which none is the page.
  const candidates = [...mains, ...(articles.length === 1 ? articles : [])];
  const best = candidates
    .map((element) => ({ element, length: textLength(element) }))
    .sort((a, b) => b.length - a.length)[0];
  return best && best.length >= Math.min(200, whole * 0.4) ? best.element : body;
}
