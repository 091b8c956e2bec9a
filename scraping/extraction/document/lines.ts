/**
 * Changes to text line by line. By hand and not by `/\s+$/` and its kin: those look at a run of blanks anew from each of its places,
 * which for a megabyte of them in a `pre` took hours.
 */

/** Without blanks and tabs at the ends of its lines. @param keep whether they mean something there, see `markdown.ts` */
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

/** Its lines without white space around them, and without the empty ones, in a row. */
export const joinedLines = (text: string, separator: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(separator);

/** Without these characters at its end. */
export function withoutEnding(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}
