/** The state of a page's document, taken in one call; extraction runs on it in Node. */
export interface DomSnapshot {
  url: string;
  title: string;
  charset: string;
  /** The type as which the browser loaded the document. */
  contentType: string;
  /**
   * The whole document as rendered, doctype included; open shadow roots as `<template
   * shadowrootmode>`. Null: too large.
   */
  html: string | null;
}

export interface DomSnapshotOptions {
  maxChars: number;
}

/** Runs in the page, see `runInPage`: self-contained. */
export function takeDomSnapshot({ maxChars }: DomSnapshotOptions): DomSnapshot {
  const root = document.documentElement;
  const html = document.doctype ? `<!DOCTYPE ${document.doctype.name}>\n${serialised()}` : serialised();
  return {
    url: location.href,
    title: document.title,
    charset: document.characterSet,
    contentType: document.contentType,
    html: html.length > maxChars ? null : html,
  };

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
