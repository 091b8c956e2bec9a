import { isBlock, isElement, isText } from '../document/dom.ts';
import { withoutTrailingBlanks } from '../document/lines.ts';
import { collapseBlankLines, keepBlankLines } from './blank-lines.ts';
import { isDataTable } from './table.ts';
import { layOutTable, type TableGrid } from './table-grid.ts';

/**
 * Plain text: one line per block, a blank line between paragraphs, tabs between cells, code
 * unchanged. Expects an element that `makeReadable` prepared.
 */
export function toText(root: Element): string {
  let out = '';
  /** Line breaks pending before the next text. */
  let breaks = 0;
  /** Tabs pending before the next text. */
  let tabs = 0;
  let space = false;
  /** Depth of data tables: in a cell of one, a line break would end its row. */
  let dataTables = 0;

  const owe = (count: number) => {
    if (dataTables > 0) {
      space = true;
      return;
    }
    breaks = Math.max(breaks, count);
    space = false;
  };
  const put = (text: string) => {
    if (out !== '' && breaks > 0) out += '\n'.repeat(breaks);
    else if (space && out !== '' && tabs === 0) out += ' ';
    // In a table that lays out the page, a cell that begins with a block begins a line.
    if (dataTables > 0 || breaks === 0) out += '\t'.repeat(tabs);
    out += text;
    breaks = 0;
    tabs = 0;
    space = false;
  };
  const visit = (parent: Node, inPre: boolean) => {
    for (let node = parent.firstChild; node; node = node.nextSibling) {
      if (isText(node)) {
        if (inPre) {
          if (/\S/.test(node.data)) put(keepBlankLines(node.data));
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
    const grid = tagName === 'TABLE' && dataTables === 0 ? layOutTable(element) : null;
    if (grid && isDataTable(element, grid)) {
      visitDataTable(element, grid);
      return;
    }
    const margin = marginOf(element);
    if (margin > 0) owe(margin);
    if ((tagName === 'TD' || tagName === 'TH') && element.previousElementSibling) {
      if (dataTables > 0) space = true;
      else tabs += 1;
    }
    visit(element, inPre || tagName === 'PRE');
    if (tagName === 'TR' && dataTables === 0) tabs = 0;
    if (margin > 0) owe(margin);
  };
  const visitDataTable = (table: Element, grid: TableGrid) => {
    owe(2);
    for (let child = table.firstElementChild; child; child = child.nextElementSibling) {
      if (child.tagName === 'CAPTION') visit(child, false);
    }
    for (const row of grid) {
      owe(1);
      dataTables += 1;
      let column = 0;
      for (const cell of row) {
        space = false;
        tabs += cell.column - column;
        column = cell.column;
        visit(cell.element, false);
      }
      dataTables -= 1;
      space = false;
      tabs = 0;
    }
    owe(2);
  };
  visit(root, false);
  return collapseBlankLines(withoutTrailingBlanks(out)).replace(/^\n+/, '').trimEnd();
}

function marginOf(element: Element): number {
  if (PARAGRAPHS.has(element.tagName)) return 2;
  if (element.tagName === 'TD' || element.tagName === 'TH') return 0;
  return isBlock(element) || LINES.has(element.tagName) ? 1 : 0;
}

const PARAGRAPHS = new Set(
  'P TABLE H1 H2 H3 H4 H5 H6 UL OL DL PRE BLOCKQUOTE FIGURE DETAILS FIELDSET'.split(' '),
);
/** Lines of their own beside the blocks of `dom.ts`, which the content model knows. */
const LINES = new Set(['OPTGROUP', 'OPTION', 'SEARCH']);
