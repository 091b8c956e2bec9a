import { LRUCache } from 'lru-cache';

/**
 * Hints about an element's content, from its tag, role, class, id and microdata. A hint decides
 * nothing: it is an input of the model. Their order is the order of the model's features, so it may
 * only change together with a new training run.
 */

/** Hints by the words in tag names, classes and ids. */
const BY_WORD = {
  nameContent: 'content entry text copy prose markdown richtext rte wysiwyg',
  nameArticle: 'article story post blog news',
  nameMain: 'main primary body page',
  nameTitle: 'title headline heading subtitle',
  nameDescription: 'description desc summary overview excerpt intro about',
  nameDetail:
    'detail details spec specs specification specifications attribute attributes feature features info',
  nameProduct: 'product products item items card cards tile tiles sku pdp',
  nameForum:
    'thread topic message messages messagebody postbody cooked answer question reply replies response',
  nameComment: 'comment comments disqus discussion',
  nameReview: 'review reviews rating ratings stars testimonial testimonials',
  nameNav: 'nav navbar navigation menu submenu megamenu topbar mainmenu',
  nameSide: 'sidebar side aside rail secondary',
  nameFooter: 'footer foot bottom colophon',
  nameHeader: 'header masthead banner top head hero',
  nameRelated:
    'related recommended recommendation recommendations similar more also upsell crosssell suggested',
  nameShare: 'share sharing social follow facebook twitter',
  namePromo: 'promo promotion ad ads advert advertisement sponsor sponsored cta offer',
  nameCookie: 'cookie cookies consent gdpr onetrust privacy',
  namePopup: 'modal popup overlay dialog drawer offcanvas toast tooltip lightbox flyout',
  nameSignup: 'newsletter subscribe subscription signup',
  nameLogin: 'login signin register account auth',
  nameCrumb: 'breadcrumb breadcrumbs crumb',
  nameWidget: 'widget block module component',
  nameTag: 'tag tags category categories topics label labels badge badges',
  nameMeta: 'meta byline author date time timestamp published posted dateline publish',
  nameUser: 'user avatar profile member username userinfo poster bio',
  nameSignature: 'signature sig',
  nameVote: 'vote votes voting like likes reaction reactions score karma reputation helpful',
  namePager: 'pagination pager paging next prev previous',
  nameSearch: 'search searchbox autocomplete typeahead',
  nameFilter: 'filter filters facet facets refine sort sorting toolbar',
  namePrice: 'price prices pricing cost currency',
  nameCart: 'cart basket bag wishlist checkout buy shipping delivery',
  nameButton: 'button btn buttons actions action control controls',
  nameForm: 'form field input option options select dropdown swatch variant variants',
  nameGallery: 'gallery carousel slider slick swiper slide slides thumbnail thumbnails media video player',
  nameCaption: 'caption figcaption credit',
  nameToc: 'toc contents tableofcontents',
  nameTabs: 'tab tabs accordion collapse collapsible faq panel expandable',
  nameList: 'list listing listings results grid feed archive collection',
  nameCode: 'code highlight snippet codehilite sourcecode',
  nameQuote: 'quote blockquote quoted',
  nameHidden: 'hidden hide invisible sronly visually screenreader srt offscreen noprint',
  nameSkip: 'skip',
  nameNotice: 'notice alert message-bar warning announcement flash',
  nameCopyright: 'copyright legal disclaimer terms',
  nameLanguage: 'language lang locale country region',
} as const;

const BY_TAG = {
  nav: 'nav',
  header: 'header',
  footer: 'footer',
  aside: 'aside',
  main: 'main',
  article: 'article',
  section: 'section',
  form: 'form',
  table: 'table',
  ul: 'list',
  ol: 'list',
  li: 'item',
  dl: 'terms',
  figure: 'figure',
  figcaption: 'caption',
  blockquote: 'quote',
  pre: 'pre',
  details: 'details',
  summary: 'summary',
  button: 'button',
  label: 'label',
  a: 'link',
  dialog: 'dialog',
  noscript: 'noscript',
  address: 'address',
  select: 'form',
} as const;

const BY_ROLE: Record<string, keyof typeof TAG_HINTS> = {
  navigation: 'nav',
  menu: 'nav',
  menubar: 'nav',
  banner: 'header',
  contentinfo: 'footer',
  complementary: 'aside',
  main: 'main',
  article: 'article',
  dialog: 'dialog',
  alertdialog: 'dialog',
  button: 'button',
};

const TAG_HINTS = Object.fromEntries(Object.values(BY_TAG).map((hint) => [hint, true])) as Record<
  (typeof BY_TAG)[keyof typeof BY_TAG],
  true
>;
const OTHER = ['hidden', 'ariaHidden', 'itemBody', 'itemText', 'itemReview', 'itemOther'] as const;

export const HINTS = [
  ...(Object.keys(TAG_HINTS) as (keyof typeof TAG_HINTS)[]),
  ...(Object.keys(BY_WORD) as (keyof typeof BY_WORD)[]),
  ...OTHER,
];
export type Hint = (typeof HINTS)[number];

/** The depth of a hint that no ancestor has. */
export const NEVER = -1;

const NUMBER = new Map<Hint, number>(HINTS.map((hint, at) => [hint, at]));
const number = (hint: Hint): number => NUMBER.get(hint) ?? 0;
const WORDS = new Map<string, number>(
  Object.entries(BY_WORD).flatMap(([hint, words]) =>
    words.split(' ').map((word) => [word, number(hint as Hint)] as const),
  ),
);
const TAGS = new Map<string, number>(
  Object.entries(BY_TAG).map(([tag, hint]) => [tag.toUpperCase(), number(hint)]),
);

const MAX_NAME = 300;

/** The hints of one element, as indexes into `HINTS`. */
export function readHints(element: Element): number[] {
  const found: number[] = [];
  const byTag = TAGS.get(element.tagName);
  if (byTag !== undefined) found.push(byTag);
  if (element.tagName.includes('-')) addHintsOfName(element.tagName.toLowerCase(), found);
  if (!element.hasAttributes()) return found;
  const role = element.getAttribute('role');
  const byRole = role ? BY_ROLE[role] : undefined;
  if (byRole) found.push(number(byRole));
  for (const name of ['class', 'id'] as const) {
    const value = element.getAttribute(name);
    if (value) addHintsOfName(value.slice(0, MAX_NAME), found);
  }
  const item = element.getAttribute('itemprop');
  if (item) found.push(number(itemHint(item)));
  if (isHidden(element)) found.push(number('hidden'));
  if (element.getAttribute('aria-hidden') === 'true') found.push(number('ariaHidden'));
  return found;
}

function addHintsOfName(name: string, found: number[]): void {
  for (const hint of hintsOfName(name)) if (!found.includes(hint)) found.push(hint);
}

/** All pages of a site use the same few names. */
const hintsByName = new LRUCache<string, readonly number[]>({ max: 2000 });

function hintsOfName(name: string): readonly number[] {
  let hints = hintsByName.get(name);
  if (!hints) {
    const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
    hints = (words.match(/[a-z]+/g) ?? []).flatMap((word) => WORDS.get(word) ?? []);
    hintsByName.set(name, hints);
  }
  return hints;
}

function itemHint(item: string): Hint {
  if (/articleBody/i.test(item)) return 'itemBody';
  if (/^(description|text|reviewBody|mainEntity)/i.test(item)) return 'itemText';
  return /review|rating/i.test(item) ? 'itemReview' : 'itemOther';
}

const isHidden = (element: Element): boolean =>
  element.hasAttribute('hidden') ||
  /(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)/i.test(element.getAttribute('style') ?? '');
