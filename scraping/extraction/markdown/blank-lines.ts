/**
 * Blank lines between blocks are collapsed to one, those inside code are kept: code marks them with
 * a NUL, which no parsed page contains.
 */

/** Marks the blank lines of code, for `collapseBlankLines`. */
export const keepBlankLines = (code: string): string =>
  code
    .split('\n')
    .map((line) => (line.trim() === '' ? '\0' : line))
    .join('\n');

/** At most one blank line in a row, except where marked. */
export function collapseBlankLines(text: string): string {
  const collapsed = text.replace(/\n{3,}/g, '\n\n');
  if (!collapsed.includes('\0')) return collapsed;
  return collapsed
    .split('\n')
    .map((line) => (line.endsWith('\0') ? line.replaceAll('\0', '').trimEnd() : line.replaceAll('\0', '')))
    .join('\n');
}
