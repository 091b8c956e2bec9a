import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { OperatorError } from '../operator-error.ts';

/**
 * Reads a `.env` file; empty if there is none.
 *
 * @throws OperatorError naming the line that dotenv would read differently than it looks
 */
export function readEnvFile(path: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new OperatorError(
      `configuration: ${path} cannot be read (${code}): make it a file that this user may read`,
    );
  }
  const problem = ambiguityIn(text);
  if (problem) throw new OperatorError(`configuration: ${path} ${problem}`);
  return parse(text);
}

/** dotenv silently skips lines it cannot parse, and ends an unquoted value at any `#`. */
export function ambiguityIn(text: string): string | undefined {
  const lines = text.split(/\r\n?|\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const where = `line ${index + 1}`;
    const [before, name] = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)[^\S\n]*/.exec(line) ?? [];
    if (before === undefined) return `${where}: expected NAME=value, or # before a comment`;
    const rest = line.slice(before.length);
    const quote = /^['"`]/.exec(rest)?.[0];
    if (quote) {
      const quoted = [rest, ...lines.slice(index + 1)].join('\n');
      const [value] = QUOTED[quote as keyof typeof QUOTED].exec(quoted) ?? [];
      if (value === undefined) return `${where}: ${name}: the quote ${quote} is not closed`;
      if (value.slice(1, -1).includes(`\\${quote}`)) {
        return `${where}: ${name}: use another of ' " \` around the value: the \\ before ${quote} would be part of it`;
      }
      const [behind = ''] = quoted.slice(value.length).split('\n');
      if (!/^\s*(#|$)/.test(behind)) {
        return `${where}: ${name}: put quotes around the whole value: there is more behind the closing one`;
      }
      index += value.split('\n').length - 1;
    } else if (/^#\S|\S#/.test(rest.replace(/\s#.*$/, ''))) {
      return `${where}: ${name}: quote the value ('…'), or put a blank before the # if it begins a comment`;
    }
  }
  return undefined;
}

const QUOTED = { "'": /^'(?:\\'|[^'])*'/, '"': /^"(?:\\"|[^"])*"/, '`': /^`(?:\\`|[^`])*`/ };
