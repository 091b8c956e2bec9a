import type { FrameDocument } from '../extraction/document/frames.ts';

/** The state of a page's document, taken in one call; extraction runs on it in Node. */
export interface DomSnapshot {
  url: string;
  title: string;
  charset: string;
  /** The type as which the browser loaded the document. */
  contentType: string;
  /**
   * The whole document as rendered, doctype included; open shadow roots as `<template
   * shadowrootmode>`. How CSS shows elements is in attributes, see `SHOWN_BOX`. Null: too large.
   */
  html: string | null;
  /** Its visible frames; `html` is null for those of other origins, see `readForeignFrames`. */
  frames: FrameDocument[];
  /** It has components that may hide their content from scripts, see `withClosedRoots`. */
  mayHaveClosedRoots: boolean;
}

export interface DomSnapshotOptions {
  maxChars: number;
}

/** Runs in the page, see `runInPage`: self-contained. */
export function takeDomSnapshot({ maxChars }: DomSnapshotOptions): DomSnapshot {
  const MOST_FRAMES = 40;
  const MOST_NAMED = 500;
  const DEEPEST = 4;
  const SMALLEST_PX = 10;
  let charsLeft = maxChars;
  let framesLeft = MOST_FRAMES;
  let mayHaveClosedRoots = false;
  const { html, scopes } = serialised(document);
  return {
    url: location.href,
    title: document.title,
    charset: document.characterSet,
    contentType: document.contentType,
    html,
    frames: html === null ? [] : framesIn(scopes, 1),
    mayHaveClosedRoots,
  };

  /** The document's HTML within what is left of the limit, and its trees: itself and shadow roots. */
  function serialised(from: Document): { html: string | null; scopes: (Document | ShadowRoot)[] } {
    const root = from.documentElement;
    const scopes: (Document | ShadowRoot)[] = [from];
    if (!root) return { html: '', scopes };
    const shadowRoots: ShadowRoot[] = [];
    const findRoots = (scope: Document | ShadowRoot) => {
      for (const element of scope.querySelectorAll('*')) {
        if (!element.shadowRoot) {
          mayHaveClosedRoots ||= element.localName.includes('-') && element.matches(':defined');
          continue;
        }
        shadowRoots.push(element.shadowRoot);
        findRoots(element.shadowRoot);
      }
    };
    findRoots(from);
    scopes.push(...shadowRoots);
    const marked = markShownBoxes(from);
    const text =
      shadowRoots.length === 0 || !('getHTML' in root) ? root.outerHTML : withShadowRoots(root, shadowRoots);
    for (const element of marked) element.removeAttribute('data-leadengine-box');
    const whole = from.doctype ? `<!DOCTYPE ${from.doctype.name}>\n${text}` : text;
    if (whole.length > charsLeft) return { html: null, scopes };
    charsLeft -= whole.length;
    return { html: whole, scopes };
  }

  /**
   * Writes into an attribute how style sheets show an element, where its tag says otherwise: not at
   * all, as a block, or as an item beside others. The page sees the attribute come and go at once.
   */
  function markShownBoxes(from: Document): Element[] {
    const { body } = from;
    const isReadable = from.contentType === 'text/html' && from.styleSheets.length > 0;
    if (!body || !isReadable || getComputedStyle(body).visibility === 'hidden') return [];
    const INLINE = /^(A|ABBR|B|BDI|CITE|DATA|DEL|EM|FONT|I|INS|LABEL|MARK|S|SMALL|SPAN|STRONG|TIME|U)$/;
    const UNREAD =
      /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE|SELECT|DATALIST|TEXTAREA|IFRAME|OBJECT|CANVAS|VIDEO|AUDIO|RP|RT|MATH|MJX-CONTAINER|PRE)$/;
    const all = (body.textContent ?? '').length;
    const hidden: Element[] = [];
    const boxes: [Element, 'block' | 'item'][] = [];
    let hiddenChars = 0;
    /** Whether a descendant is visible although its parent is not. */
    const showsPart = (element: Element): boolean =>
      Array.from(element.querySelectorAll('*')).some(
        (inner) => getComputedStyle(inner).visibility === 'visible' && /\S/.test(inner.textContent ?? ''),
      );
    const waiting: Element[] = [body];
    for (let parent = waiting.pop(); parent; parent = waiting.pop()) {
      const children = [...(parent.shadowRoot?.children ?? []), ...parent.children];
      let outer: CSSStyleDeclaration | null = null;
      for (const element of children) {
        const name = element.tagName.toUpperCase();
        if (
          UNREAD.test(name) ||
          element instanceof SVGElement ||
          /(^|\s)(katex|mwe-math|MathJax)/.test(element.className)
        )
          continue;
        const { display, visibility } = getComputedStyle(element);
        if (display === 'none' || visibility === 'hidden') {
          const chars = (element.textContent ?? '').trim().length;
          if (chars === 0 && !element.shadowRoot) continue;
          // Half of the page is no hidden part of it: it waits for a script.
          if (chars <= all / 2 && (display === 'none' || !showsPart(element))) {
            hidden.push(element);
            hiddenChars += chars;
            continue;
          }
        } else if (INLINE.test(name) && display !== 'inline' && display !== 'contents') {
          outer ??= getComputedStyle(parent);
          const isItem = /flex|grid/.test(outer.display) && !/column/.test(outer.flexDirection);
          const isInline = display.startsWith('inline') || display === 'table-cell';
          boxes.push([element, isItem || isInline ? 'item' : 'block']);
        }
        if (element.firstElementChild || element.shadowRoot) waiting.push(element);
      }
    }
    // An empty shell with all of its text in dialogs is not rendered yet.
    const isShell = all - hiddenChars < 200 && hiddenChars > all - hiddenChars;
    for (const element of isShell ? [] : hidden) element.setAttribute('data-leadengine-box', 'hidden');
    for (const [element, box] of boxes) element.setAttribute('data-leadengine-box', box);
    return [...hidden, ...boxes.map(([element]) => element)];
  }

  function withShadowRoots(root: Element, shadowRoots: ShadowRoot[]): string {
    const inner = root.getHTML({ shadowRoots });
    const shell = (root.cloneNode(false) as Element).outerHTML;
    const end = shell.lastIndexOf('</');
    return end < 0 ? shell + inner : shell.slice(0, end) + inner + shell.slice(end);
  }

  function framesIn(scopes: (Document | ShadowRoot)[], depth: number): FrameDocument[] {
    const found: FrameDocument[] = [];
    for (const element of scopes.flatMap((scope) => [
      ...scope.querySelectorAll('iframe, frame, object[data], embed[src]'),
    ])) {
      const { width, height } = element.getBoundingClientRect();
      if (width < SMALLEST_PX || height < SMALLEST_PX) continue;
      const type = element.getAttribute('type');
      // A picture, a film or a viewer of the browser.
      if (/^(object|embed)$/i.test(element.tagName) && !/^text\/html/i.test(type ?? documentType(element)))
        continue;
      const src = element.hasAttribute('srcdoc')
        ? ''
        : (element.getAttribute('src') ?? element.getAttribute('data') ?? '');
      const shown = framesLeft > 0 ? documentIn(element) : null;
      // Another origin's, one too many, or one whose server has not answered.
      if (!shown || (shown.URL === 'about:blank' && src !== '' && !/^(about|javascript):/i.test(src))) {
        if (found.length < MOST_NAMED) found.push({ src, url: '', html: null, frames: [] });
        continue;
      }
      framesLeft -= 1;
      const inner = serialised(shown);
      const url = /^https?:/.test(shown.location?.href ?? '') ? shown.location.href : shown.baseURI;
      const frames = depth < DEEPEST && inner.html !== null ? framesIn(inner.scopes, depth + 1) : [];
      found.push({ src, url, html: inner.html, frames });
    }
    return found;
  }

  /** Null if it has another origin. */
  function documentIn(element: Element): Document | null {
    try {
      return (element as HTMLIFrameElement).contentDocument ?? null;
    } catch {
      return null;
    }
  }

  function documentType(element: Element): string {
    return documentIn(element)?.contentType ?? '';
  }
}
