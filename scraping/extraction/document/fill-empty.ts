import { select } from './selector-index.ts';
import { closestTag, hasText, isElement, nextNode, readText } from './traverse.ts';

/**
 * Gives elements that mean something without text a content that lasts: an item or code block
 * without one a `br`, a blank line of code its line break, and a task's checkbox its sign.
 */
export function fillEmptyElements(document: Document): void {
  for (const box of select(document, 'input')) {
    if (box.getAttribute('type')?.toLowerCase() === 'checkbox') writeTaskBox(box);
  }
  const hasTextInside = new Map<Element, boolean>();
  for (const item of select(document, 'li')) {
    const list = item.parentElement;
    if (!list || !isEmpty(item)) continue;
    // A list of empty items alone is drawn by scripts, such as the dots of a slider.
    if (!hasTextInside.has(list)) hasTextInside.set(list, hasText(list));
    if (hasTextInside.get(list)) item.appendChild(document.createElement('br'));
  }
  for (const pre of select(document, 'pre')) {
    if (isEmpty(pre) && pre.parentElement && hasText(pre.parentElement))
      pre.appendChild(document.createElement('br'));
    else fillBlankLines(pre);
  }
}

const isEmpty = (element: Element): boolean => element.firstElementChild === null && !hasText(element);

function fillBlankLines(pre: Element): void {
  const empty: Element[] = [];
  for (let node = pre.firstChild; node; node = nextNode(node, pre)) {
    if (
      isElement(node) &&
      node.firstChild === null &&
      LINE.test(`${node.tagName} ${node.getAttribute('class') ?? ''}`)
    )
      empty.push(node);
  }
  for (const line of empty) line.appendChild(pre.ownerDocument.createTextNode('\n'));
}

const LINE = /^(?:DIV|P|LI) |(?:^|\s)(?:line|code-?line|view-line|cm-line|ec-line|token-line)(?:\s|$)/;

/** The checkbox at the start of an item, as a sign; one with a name is a form's. */
function writeTaskBox(box: Element): void {
  const item = closestTag(box, 'LI');
  if (!item || box.hasAttribute('name') || closestTag(box, 'FORM') || readText(item).length > MAX_TASK)
    return;
  for (let node: Node | null = item.firstChild; node && node !== box; node = nextNode(node, item)) {
    if (!isElement(node) && /\S/.test(node.nodeValue ?? '')) return;
  }
  const sign = box.hasAttribute('checked') ? '☑ ' : '☐ ';
  box.parentNode?.replaceChild(box.ownerDocument.createTextNode(sign), box);
}

const MAX_TASK = 5000;
