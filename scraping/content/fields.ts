import type { ScrapeRequest } from '../../core/schemas.ts';
import { absoluteUrl, collapsed, select } from './dom.ts';

export type FieldsWanted = NonNullable<ScrapeRequest['extract']>;

export interface Fields {
  extracted: Record<string, unknown>;
  /** Names of fields whose selector is not CSS. */
  badFields: string[];
}

/** What `extract` asks for, in a page that no browser has drawn: the counterpart of `collect.ts`, which asks the drawn one. */
export function fieldsOf(document: Document, base: string, wanted: FieldsWanted): Fields {
  const extracted: Record<string, unknown> = {};
  const badFields: string[] = [];
  for (const [name, field] of Object.entries(wanted)) {
    const { selector, attribute, many } =
      typeof field === 'string' ? { selector: field, attribute: undefined, many: false } : field;
    let value: unknown = null;
    try {
      const values = select(document, selector).map((element) => readValue(element, attribute, base));
      value = many ? values.filter((item) => item !== null) : (values[0] ?? null);
    } catch {
      badFields.push(name);
    }
    // defineProperty, because a field may be called `__proto__`.
    Object.defineProperty(extracted, name, { value, enumerable: true });
  }
  return { extracted, badFields };
}

function readValue(element: Element, attribute: string | undefined, base: string): string | null {
  if (attribute === undefined) {
    const text = element.textContent ?? '';
    return isPreformatted(element) ? text.trim() : collapsed(text);
  }
  const value = element.getAttribute(attribute);
  if (value === null || !['href', 'src', 'action', 'poster'].includes(attribute.toLowerCase())) return value;
  return absoluteUrl(value, base) ?? value;
}

function isPreformatted(element: Element): boolean {
  for (let at: Element | null = element; at; at = at.parentElement) {
    if (at.tagName === 'PRE' || at.tagName === 'TEXTAREA') return true;
  }
  return false;
}
