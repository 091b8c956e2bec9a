/**
 * The next node in document order within a root; null at the end. A loop, because hostile pages
 * nest deeper than the call stack.
 */
export function nextNode(node: Node, root: Node): ChildNode | null {
  if (node.firstChild) return node.firstChild;
  for (let last: Node | null = node; last && last !== root; last = last.parentNode) {
    if (last.nextSibling) return last.nextSibling;
  }
  return null;
}

export const isElement = (node: Node | null): node is Element => node?.nodeType === 1;
export const isText = (node: Node | null): node is Text => node?.nodeType === 3;

/** Same as `textContent`. domino's version builds and keeps an array of children per node. */
export function readText(node: Node): string {
  if (!isElement(node)) return node.nodeValue ?? '';
  let text = '';
  for (let next = node.firstChild; next; next = nextNode(next, node)) {
    if (isText(next)) text += next.data;
  }
  return text;
}

/** Whether the node has text other than white space. */
export function hasText(node: Node): boolean {
  if (!isElement(node)) return /\S/.test(node.nodeValue ?? '');
  for (let next = node.firstChild; next; next = nextNode(next, node)) {
    if (isText(next) && /\S/.test(next.data)) return true;
  }
  return false;
}

/**
 * The element or its nearest ancestor with one of these tags. Cheaper than `closest`, which
 * compiles its selector per ancestor.
 */
export function closestTag(element: Element | null, ...tags: readonly string[]): Element | null {
  for (let up = element; up; up = up.parentElement) if (tags.includes(up.tagName)) return up;
  return null;
}

/** Whether a descendant has one of these tags. */
export function containsTag(element: Element, tags: ReadonlySet<string>): boolean {
  for (let next = element.firstChild; next; next = nextNode(next, element)) {
    if (isElement(next) && tags.has(next.tagName)) return true;
  }
  return false;
}
