/**
 * Text edits line by line. Hand-written because `/\s+$/` and similar expressions restart at each
 * blank of a run: quadratic, hours for a megabyte of blanks in a `pre`.
 */

/**
 * Removes spaces and tabs at line ends.
 *
 * @param keep whether they are significant there, see `markdown.ts`
 */
export function withoutTrailingBlanks(
  text: string,
  keep: (blanks: string, line: string, next: string | undefined) => boolean = () => false,
): string {
  const lines = text.split('\n');
  return lines
    .map((line, place) => {
      let end = line.length;
      while (end > 0 && isBlank(line.charCodeAt(end - 1))) end -= 1;
      if (end === line.length) return line;
      const bare = line.slice(0, end);
      return keep(line.slice(end), bare, lines[place + 1]) ? line : bare;
    })
    .join('\n');
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Joins the trimmed, non-empty lines. */
export const joinedLines = (text: string, separator: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(separator);

/** Removes these characters from the end. */
export function withoutEnding(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}
