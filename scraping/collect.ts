import type { ScrapeRequest } from '../core/schemas.ts';

/** What one look into the page brings home; everything else is worked out from it in Node. */
export interface Snapshot {
  url: string;
  title: string;
  charset: string;
  /** The whole document as rendered, doctype included; open shadow roots as `<template shadowrootmode>`. Null: too large. */
  html: string | null;
  extracted: Record<string, unknown>;
  /** Names of fields whose selector is not CSS. */
  badSelectors: string[];
}

export interface CollectOptions {
  maxChars: number;
  extract: NonNullable<ScrapeRequest['extract']>;
}

/** Runs in the page, see `runInPage`: self-contained. */
export function collect({ maxChars, extract }: CollectOptions): Snapshot {
  const badSelectors: string[] = [];
  const extracted: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(extract)) {
    const { selector, attribute, many } =
      typeof field === 'string' ? { selector: field, attribute: undefined, many: false } : field;
    try {
      const found = many
        ? Array.from(document.querySelectorAll(selector))
        : [document.querySelector(selector)].filter((element) => element !== null);
      const values = found.map((element) => readValue(element, attribute));
      // defineProperty, because a field may be called `__proto__`.
      const value = many ? values.filter((item) => item !== null) : (values[0] ?? null);
      Object.defineProperty(extracted, name, { value, enumerable: true });
    } catch {
      badSelectors.push(name);
      Object.defineProperty(extracted, name, { value: null, enumerable: true });
    }
  }
  const root = document.documentElement;
  const html = document.doctype ? `<!DOCTYPE ${document.doctype.name}>\n${serialised()}` : serialised();
  return {
    url: location.href,
    title: document.title,
    charset: document.characterSet,
    html: html.length > maxChars ? null : html,
    extracted,
    badSelectors,
  };

  function readValue(element: Element, attribute: string | undefined): string | null {
    if (attribute === undefined) {
      const text = element.textContent ?? '';
      return element.closest('pre, textarea') ? text.trim() : text.replace(/\s+/g, ' ').trim();
    }
    const value = element.getAttribute(attribute);
    if (value === null || !['href', 'src', 'action', 'poster'].includes(attribute.toLowerCase()))
      return value;
    return URL.canParse(value, document.baseURI) ? new URL(value, document.baseURI).href : value;
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
    return shell.replace(/<\/[^>]+>$/, (end) => inner + end);
  }
}
