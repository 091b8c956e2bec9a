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
}

export interface DomSnapshotOptions {
  maxChars: number;
}

/** Runs in the page, see `runInPage`: self-contained. */
export function takeDomSnapshot({ maxChars }: DomSnapshotOptions): DomSnapshot {
  const root = document.documentElement;
  const marked = markShownBoxes();
  const html = document.doctype ? `<!DOCTYPE ${document.doctype.name}>\n${serialised()}` : serialised();
  for (const element of marked) element.removeAttribute('data-leadengine-box');
  return {
    url: location.href,
    title: document.title,
    charset: document.characterSet,
    contentType: document.contentType,
    html: html.length > maxChars ? null : html,
  };

  /**
   * Writes into an attribute how style sheets show an element, where its tag says otherwise: not at
   * all, as a block, or as an item beside others. The page sees the attribute come and go at once.
   */
  function markShownBoxes(): Element[] {
    const { body } = document;
    const isReadable = document.contentType === 'text/html' && document.styleSheets.length > 0;
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

  function serialised(): string {
    if (!root) return '';
    const shadowRoots: ShadowRoot[] = [];
    const findRoots = (scope: Document | ShadowRoot) => {
      for (const element of scope.querySelectorAll('*')) {
        if (!element.shadowRoot) continue;
        shadowRoots.push(element.shadowRoot);
        findRoots(element.shadowRoot);
      }
    };
    findRoots(document);
    if (shadowRoots.length === 0 || !('getHTML' in root)) return root.outerHTML;
    const inner = root.getHTML({ shadowRoots });
    const shell = (root.cloneNode(false) as Element).outerHTML;
    const end = shell.lastIndexOf('</');
    return end < 0 ? shell + inner : shell.slice(0, end) + inner + shell.slice(end);
  }
}
