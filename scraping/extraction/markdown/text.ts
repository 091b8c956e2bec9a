import { isBlock, isElement, isText } from '../document/dom.ts';
import { withoutTrailingBlanks } from '../document/lines.ts';

/**
 * Plain text: one line per block, a blank line between paragraphs, tabs between cells, code
 * unchanged.
 */
export function toText(root: Element): string {
  let out = '';
  /** Line breaks pending before the next text. */
  let breaks = 0;
  let space = false;

  const owe = (count: number) => {
    breaks = Math.max(breaks, count);
    space = false;
  };
  const put = (text: string) => {
    if (out !== '' && breaks > 0) out += '\n'.repeat(breaks);
    else if (space && out !== '' && !out.endsWith('\t')) out += ' ';
    breaks = 0;
    space = false;
    out += text;
  };
  const visit = (parent: Node, inPre: boolean) => {
    for (let node = parent.firstChild; node; node = node.nextSibling) {
      if (isText(node)) {
        if (inPre) {
          if (node.data !== '') put(node.data);
          continue;
        }
        const words = node.data.replace(/\s+/g, ' ');
        if (words.startsWith(' ')) space = true;
        const trimmed = words.trim();
        if (trimmed === '') continue;
        put(trimmed);
        space = words.endsWith(' ');
      } else if (isElement(node)) {
        visitElement(node, inPre);
      }
    }
  };
  const visitElement = (element: Element, inPre: boolean) => {
    const { tagName } = element;
    if (tagName === 'BR') {
      if (inPre) put('\n');
      else owe(1);
      return;
    }
    const isCell = tagName === 'TD' || tagName === 'TH';
    const margin = PARAGRAPHS.has(tagName) ? 2 : isBlock(element) && !isCell ? 1 : 0;
    if (margin > 0) owe(margin);
    if (isCell && element.previousElementSibling) {
      // Blocks inside a cell do not break the row.
      breaks = 0;
      space = false;
      out += '\t';
    }
    visit(element, inPre || tagName === 'PRE');
    if (margin > 0) owe(margin);
  };
  visit(root, false);
  return withoutTrailingBlanks(out)
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

const PARAGRAPHS = new Set([
  'P',
  'H1',
  'H2',
  'H3',
  'H4',
  'H5',
  'H6',
  'UL',
  'OL',
  'DL',
  'TABLE',
  'PRE',
  'BLOCKQUOTE',
  'FIGURE',
]);
