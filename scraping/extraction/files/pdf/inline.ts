import { escapeHtml } from '../../../../core/escape-html.ts';
import { isApart, type Line, type Piece, textOf } from './pieces.ts';

/**
 * The lines of a paragraph as HTML. A line that fills the width continues in the next one, also
 * within a hyphenated word; a short line was ended on purpose, as in an address.
 *
 * @param right where the text's lines end
 */
export function linesAsHtml(lines: readonly Line[], right: number): string {
  let html = '';
  lines.forEach((line, at) => {
    const next = lines[at + 1];
    const text = textOf(line);
    let own = lineAsHtml(line);
    if (!next) {
      html += own;
      return;
    }
    const following = textOf(next);
    if (/\u00ad$/.test(text) || (/\p{L}\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(following))) {
      own = own.replace(/[-\u00ad]((?:<\/a>)?)$/, '$1');
      html += own;
    } else if (isFull(line, next, right))
      html += /\p{L}-$/u.test(text) || isUnspaced(text, following) ? own : `${own} `;
    else html += `${own}<br>`;
  });
  return html;
}

/** Whether the first word of the next line had no room on this one. */
function isFull(line: Line, next: Line, right: number): boolean {
  const text = textOf(next);
  const word = /^\S*/.exec(text)?.[0].length ?? 0;
  const perCharacter = (next.right - next.left) / Math.max(1, text.length);
  return line.right + perCharacter * (Math.min(word, 25) + 1) >= right - line.size * 0.5;
}

/** Chinese and Japanese have no spaces between words. */
const isUnspaced = (before: string, after: string): boolean =>
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}、。，．]$/u.test(before) &&
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}、。，．]/u.test(after);

export function lineAsHtml({ pieces }: Line): string {
  let html = '';
  let href: string | null = null;
  pieces.forEach((piece, at) => {
    const before = pieces[at - 1];
    const space = before && isApart(before, piece) && !/\s$/.test(before.text) ? ' ' : '';
    if (piece.href === href) html += space + escapeHtml(piece.text);
    else html += closing(href) + space + opening(piece.href) + escapeHtml(piece.text);
    href = piece.href;
  });
  return html.trim() + closing(href);
}

const opening = (href: Piece['href']) => (href === null ? '' : `<a href="${escapeHtml(href)}">`);
const closing = (href: Piece['href']) => (href === null ? '' : '</a>');
