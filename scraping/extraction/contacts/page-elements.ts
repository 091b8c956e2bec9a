import { isElement } from '../document/dom.ts';

/** A page's elements by use, collected in one walk: each `querySelectorAll` would be another. */
export interface PageElements {
  /** `a` and `area` with `href`. */
  links: Element[];
  images: Element[];
  /** Without visible text: `script`, `template`, `noscript`, `textarea`. */
  scripts: Element[];
  metas: Element[];
  title: string;
  headings: Element[];
  /** With a `data-` attribute. */
  data: Element[];
  /** With a class or id like that of a site's logo or title. */
  logos: Element[];
  /** Reversed text that style sheets display forwards. */
  mirrored: Element[];
  /** hCards. */
  cards: Element[];
  /** Entities of microdata and RDFa. */
  scopes: Element[];
  /** Properties of microdata and RDFa. */
  properties: Element[];
}

const MAX_DEPTH = 800;

export function pageElements(document: Document): PageElements {
  const page: PageElements = {
    links: [],
    images: [],
    scripts: [],
    metas: [],
    title: document.querySelector('title')?.textContent ?? '',
    headings: [],
    data: [],
    logos: [],
    mirrored: [],
    cards: [],
    scopes: [],
    properties: [],
  };
  const visit = (parent: Node, depth: number) => {
    for (let node = parent.firstChild; node; node = node.nextSibling) {
      if (!isElement(node)) continue;
      sort(node, page);
      if (depth < MAX_DEPTH) visit(node, depth + 1);
    }
  };
  visit(document, 0);
  return page;
}

function sort(element: Element, page: PageElements): void {
  const { tagName } = element;
  if (tagName === 'IMG') page.images.push(element);
  else if (tagName === 'META') page.metas.push(element);
  else if (tagName === 'H1') page.headings.push(element);
  else if (HIDDEN.has(tagName)) page.scripts.push(element);
  if (!element.hasAttributes()) return;
  for (const name of element.getAttributeNames()) {
    switch (name) {
      case 'href':
        if (tagName === 'A' || tagName === 'AREA') page.links.push(element);
        break;
      case 'class':
      case 'id': {
        const value = element.getAttribute(name) ?? '';
        if (/(?:^|\s)(?:vcard|h-card)(?:\s|$)/.test(value)) page.cards.push(element);
        if (/(?:^|\s)(?:logo|brand|navbar-brand|site-?title|site-?name)(?:\s|$)/i.test(value))
          page.logos.push(element);
        if (/revers|rtl|backward|codedirection/i.test(value)) page.mirrored.push(element);
        break;
      }
      case 'style':
        if (/bidi-override|direction:\s?rtl/i.test(element.getAttribute(name) ?? ''))
          page.mirrored.push(element);
        break;
      case 'dir':
        if (tagName === 'BDO') page.mirrored.push(element);
        break;
      case 'itemscope':
      case 'typeof':
        page.scopes.push(element);
        break;
      case 'itemprop':
      case 'property':
        page.properties.push(element);
        break;
      default:
        if (name.startsWith('data-') && page.data.at(-1) !== element) page.data.push(element);
    }
  }
}

const HIDDEN = new Set(['SCRIPT', 'TEMPLATE', 'NOSCRIPT', 'TEXTAREA']);

/** The content of the first `meta` with one of these names, tried in this order. */
export function metaContent(page: PageElements, ...names: string[]): string | null {
  for (const wanted of names) {
    for (const meta of page.metas) {
      const name = meta.getAttribute('property') ?? meta.getAttribute('name') ?? '';
      const content = name.toLowerCase() === wanted ? meta.getAttribute('content')?.trim() : '';
      if (content) return content;
    }
  }
  return null;
}
