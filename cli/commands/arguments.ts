import { InvalidArgumentError } from 'commander';
import { Failure } from '../failure.ts';

/** Readers of arguments and options; what they throw is one line that says what was expected. */

/** @throws Failure with what was probably meant */
export function webUrl(text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Below.
  }
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return text;
  const guess = url ? undefined : `https://${text.replace(/^\/+/, '')}`;
  let isHost = false;
  try {
    isHost = guess !== undefined && /[.:]|^localhost/.test(new URL(guess).host);
  } catch {
    // No guess.
  }
  const cure = isHost ? `did you mean ${guess}?` : 'expected one such as https://example.com/';
  throw new Failure(`${JSON.stringify(text)} is no URL: ${cure}`);
}

/** `a,b`, each of these names; may be repeated. */
export const list =
  (names: readonly string[]) =>
  (text: string, before: string[] | undefined): string[] => {
    const given = text.split(',').map((name) => name.trim());
    const unknown = given.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`there is no ${JSON.stringify(unknown)}, expected ${names.join(', ')}`);
    }
    return [...(before ?? []), ...given];
  };

/** Each use adds one. */
export const several = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];

/** `name=value`; each use adds one. */
export const pairs =
  (separator: string) =>
  (text: string, before: Record<string, string> | undefined): Record<string, string> => {
    const at = text.indexOf(separator);
    if (at < 1) throw new InvalidArgumentError(`expected name${separator}value`);
    return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
  };

export const whole = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
};

export const seconds = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected seconds, such as 30');
  return value;
};

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A date, a time, or how long ago: `90m`, `12h`, `7d`, `2w`. */
export const moment = (text: string): Date => {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const at = new Date(count ? Date.now() - Number(count) * (UNITS[unit] ?? 0) : text);
  if (Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError('expected a date such as 2026-01-31, or how long ago, such as 7d');
  }
  return at;
};

/** The end of a command's help. */
export const examples = (...lines: [command: string, does: string][]): string =>
  ['', 'Examples:', ...lines.flatMap(([command, does]) => [`  # ${does}`, `  ${command}`])].join('\n');
