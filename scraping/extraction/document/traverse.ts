/** The node behind another in document order, inside of a root. Loops, because a hostile page nests deeper than a stack is high. */
export function nextNode(node: Node, root: Node): ChildNode | null {
  if (node.firstChild) return node.firstChild;
  for (let last: Node | null = node; last && last !== root; last = last.parentNode) {
    if (last.nextSibling) return last.nextSibling;
  }
  return null;
}

export const isElement = (node: Node | null): node is Element => node?.nodeType === 1;
export const isText = (node: Node | null): node is Text => node?.nodeType === 3;

/** What a node's `textContent` says. domino's makes a list of every node's children on its way, and keeps them all. */
export function readText(node: Node): string {
  if (!isElement(node)) return node.nodeValue ?? '';
  let text = '';
  for (let next = node.firstChild; next; next = nextNode(next, node)) {
    if (isText(next)) text += next.data;
  }
  return text;
}

/** Whether there is more in it than white space. */
export function hasText(node: Node): boolean {
  if (!isElement(node)) return /\S/.test(node.nodeValue ?? '');
  for (let next = node.firstChild; next; next = nextNode(next, node)) {
    if (isText(next) && /\S/.test(next.data)) return true;
  }
  return false;
}

/** The element itself or the nearest around it with one of these tags: `closest`, which compiles its selector for each of them. */
export function closestTag(element: Element | null, ...tags: readonly string[]): Element | null {
  for (let up = element; up; up = up.parentElement) if (tags.includes(up.tagName)) return up;
  return null;
}

/** Whether an element with one of these tags is inside of it. */
export function containsTag(element: Element, tags: ReadonlySet<string>): boolean {
  for (let next = element.firstChild; next; next = nextNode(next, element)) {
    if (isElement(next) && tags.has(next.tagName)) return true;
  }
  return false;
}
