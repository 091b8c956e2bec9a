import { escapeHtml } from '../../../../core/escape-html.ts';
import { linesAsHtml } from './inline.ts';
import { type Line, type Piece, rowsOf, type StructureNode } from './pieces.ts';

/** HTML elements of the standard structure types that have text of their own. */
const LEAVES: Readonly<Record<string, string>> = {
  ...{ H: 'h2', H1: 'h1', H2: 'h2', H3: 'h3', H4: 'h4', H5: 'h5', H6: 'h6', Title: 'h1' },
  ...{ P: 'p', Caption: 'p', Note: 'p', FENote: 'p', TOCI: 'p', BibEntry: 'p', Formula: 'p', Code: 'pre' },
};
const GROUPS: Readonly<Record<string, string>> = {
  ...{ L: 'ul', LI: 'li', Table: 'table', THead: 'thead', TBody: 'tbody', TFoot: 'tfoot', TR: 'tr' },
  ...{ TH: 'th', TD: 'td', BlockQuote: 'blockquote' },
};
/** Only in the margin or between the text's pieces. */
const LEFT_OUT = new Set(['Artifact', 'Lbl']);

/**
 * A page as HTML by its structure tree: headings, lists and tables as the file's author marked
 * them. Null if the tree holds too little of the page's text, or nothing but paragraphs.
 */
export function taggedAsHtml(tree: StructureNode, pieces: readonly Piece[]): string | null {
  const byMark = new Map<string, Piece[]>();
  let total = 0;
  let marked = 0;
  for (const piece of pieces) {
    total += piece.text.length;
    if (piece.mark === null) continue;
    marked += piece.text.length;
    const known = byMark.get(piece.mark);
    if (known) known.push(piece);
    else byMark.set(piece.mark, [piece]);
  }
  if (marked < total * LEAST_MARKED) return null;
  const right = rightOf(pieces);
  const reader = new TreeReader(byMark, right);
  const html = reader.read(tree, 0);
  return reader.used >= total * LEAST_MARKED && reader.isStructured ? html : null;
}

/** A part of the text: the rest is artifacts such as page numbers. */
const LEAST_MARKED = 0.7;
const MAX_DEPTH = 60;

const rightOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((right, { x, width }) => Math.max(right, x + width), 0);

class TreeReader {
  /** Characters read. */
  used = 0;
  /** Whether there was more than paragraphs: programs that tag nothing tag all as paragraphs. */
  isStructured = false;

  constructor(
    private readonly byMark: Map<string, Piece[]>,
    private readonly right: number,
  ) {}

  read(node: StructureNode, depth: number): string {
    if (depth > MAX_DEPTH) return '';
    const role = node.role ?? '';
    if (LEFT_OUT.has(role)) {
      this.#pieces(node, depth);
      return '';
    }
    const leaf = LEAVES[role];
    if (leaf) {
      if (/^h\d$/.test(leaf)) this.isStructured = true;
      // A paragraph may hold a list or a table.
      if (leaf === 'p' && holdsGroup(node, depth)) return this.#children(node, depth);
      const text = this.#text(node, depth);
      return text === '' ? '' : `<${leaf}>${text}</${leaf}>\n`;
    }
    const group = GROUPS[role];
    if (group) {
      if (group === 'li' || group === 'td') this.isStructured = true;
      const isSimple = (group === 'li' || group === 'td' || group === 'th') && !holdsGroup(node, depth);
      const inner = isSimple ? this.#text(node, depth) : this.#children(node, depth);
      return group === 'table' || group === 'ul' || group === 'tr' || inner !== ''
        ? `<${group}>${inner}</${group}>\n`
        : group === 'td' || group === 'th'
          ? `<${group}></${group}>`
          : '';
    }
    if (node.type === 'content') {
      const text = this.#text(node, depth);
      return text === '' ? '' : `<p>${text}</p>\n`;
    }
    if (role === 'Figure' && node.alt) return `<p>${escapeHtml(node.alt)}</p>\n`;
    return this.#children(node, depth);
  }

  #children(node: StructureNode, depth: number): string {
    let html = '';
    /** Text and links beside each other are one paragraph. */
    let inline: StructureNode[] = [];
    const flush = () => {
      if (inline.length > 0) {
        const text = this.#text({ children: inline }, depth);
        if (text !== '') html += `<p>${text}</p>\n`;
      }
      inline = [];
    };
    for (const child of node.children ?? []) {
      if (isInline(child)) inline.push(child);
      else {
        flush();
        html += this.read(child, depth + 1);
      }
    }
    flush();
    return html;
  }

  #text(node: StructureNode, depth: number): string {
    const pieces = this.#pieces(node, depth);
    const lines = rowsOf(pieces).map(wholeLine);
    return linesAsHtml(lines, runningRight(lines) ?? this.right);
  }

  #pieces(node: StructureNode, depth: number): Piece[] {
    const found: Piece[] = [];
    const walk = (at: StructureNode, level: number) => {
      if (level > MAX_DEPTH) return;
      if (at.type === 'content' && at.id !== undefined) {
        const pieces = this.byMark.get(at.id) ?? [];
        this.byMark.delete(at.id);
        for (const piece of pieces) this.used += piece.text.length;
        found.push(...pieces);
      }
      for (const child of at.children ?? []) {
        // A bullet is drawn by the list.
        if (child.role === 'Lbl' && level > depth) continue;
        walk(child, level + 1);
      }
    };
    walk(node, depth);
    return found;
  }
}

const INLINE = new Set(['Span', 'Link', 'NonStruct', 'Quote', 'Em', 'Strong', 'Sub', 'Reference', 'Annot']);
const isInline = (node: StructureNode): boolean => node.type === 'content' || INLINE.has(node.role ?? '');

/** Whether a list, table or paragraphs are inside. */
function holdsGroup(node: StructureNode, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  const blocks = (node.children ?? []).filter(({ role }) => role !== undefined && role !== 'Lbl');
  const texts = blocks.filter(({ role = '' }) => LEAVES[role] || role === 'LBody');
  if (texts.length > 1) return true;
  return blocks.some(
    (child) =>
      child.role === 'L' ||
      child.role === 'Table' ||
      (!LEAVES[child.role ?? ''] && holdsGroup(child, depth + 1)),
  );
}

function wholeLine(row: Line[]): Line {
  const [first] = row;
  return {
    pieces: row.flatMap(({ pieces }) => pieces),
    left: first?.left ?? 0,
    right: row.at(-1)?.right ?? 0,
    y: first?.y ?? 0,
    size: Math.max(...row.map(({ size }) => size)),
  };
}

/** Where the lines of running text end, which may be a column; null if they are too few to tell. */
function runningRight(lines: readonly Line[]): number | null {
  if (lines.length < 4) return null;
  const left = Math.min(...lines.map((line) => line.left));
  const right = Math.max(...lines.map((line) => line.right));
  const full = lines.filter((line) => line.right - left > 0.8 * (right - left)).length;
  return full >= 0.7 * lines.length && right - left > 12 * (lines[0]?.size ?? 0) ? right : null;
}
