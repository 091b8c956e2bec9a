import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { parseUrl } from './parse-url.ts';
import { nearestName } from './suggest.ts';

/** Building blocks of all request schemas. */

/** A string of bounded length; the length is checked before any other rule. */
export const string = (max: number) => z.string().max(max, { abort: true });

/** Postgres cannot store NUL in text. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max, { abort: true })
    .min(1)
    .regex(/^[^\0]*$/, 'expected text without NUL characters');

/** As `text`, but exactly as given, and possibly empty. */
export const storable = (max: number) =>
  string(max).regex(/^[^\0]*$/, 'expected text without NUL characters');

/**
 * An array of bounded length. The length is checked first, so a million bad items are one error.
 */
export const list = <Item extends z.ZodType>(item: Item, { min = 0, max }: { min?: number; max: number }) =>
  z.array(z.unknown()).min(min).max(max).pipe(z.array(item));

/** The user's own data, returned unchanged. */
export const metadata = z.record(string(200), z.unknown());

/** An object with any field names, of a bounded number that is checked first. */
export const fields = <Name extends z.core.$ZodRecordKey, Value extends z.ZodType>(
  name: Name,
  value: Value,
  max: number,
) =>
  z
    .record(z.string(), z.unknown())
    .refine((record) => Object.keys(record).length <= max, `expected at most ${max} fields`)
    .pipe(z.record(name, value));

/**
 * Non-ASCII too: domains are sent as Punycode, and the local part to servers that support SMTPUTF8.
 */
export const emailAddress = string(320).refine(isEmailAddress, 'expected an e-mail address');

function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const name = text.slice(0, at).replace(/(?!\p{ASCII})[\p{L}\p{M}\p{N}]/gu, 'a');
  const domain = text.slice(at + 1);
  // The rule below accepts ASCII only, and only letters in the last label.
  const ascii = /^[\p{L}\p{M}\p{N}.-]+$/u.test(domain) ? domainToASCII(domain) : '';
  return z.email().safeParse(`${name}@${ascii.replace(/\.xn--[a-z0-9-]+$/, '.xn')}`).success;
}

/** http and https only: `file:`, `data:`, `ftp:` and browser schemes are refused before storing. */
export const webUrl = string(8192).superRefine((value, context) => {
  const problem = webUrlProblem(value);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

function webUrlProblem(value: string): string | null {
  const url = parseUrl(value);
  if (!url) return 'expected an absolute URL such as https://example.com/';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `expected an http or https URL, got ${url.protocol.slice(0, 32)}`;
  }
  if (url.hostname === '') return 'expected a URL with a host';
  return null;
}

const LAST_MOMENT = Date.UTC(9999, 0);
const isInReach = (value: string): boolean => !(Date.parse(value) < 0 || Date.parse(value) >= LAST_MOMENT);
const IN_REACH = 'expected a year from 1970 to 9998';
/** A timestamp, as UTC: Postgres accepts neither the year 0 nor every ISO 8601 offset. */
export const moment = z.iso
  .datetime({ offset: true, error: 'expected a moment as 2026-01-31T12:00:00Z, or with +01:00' })
  // An invalid timestamp (NaN) is already reported.
  .refine(isInReach, IN_REACH)
  .transform((value) => new Date(value).toISOString());

/** In a query the + of an offset is a blank, unless it was written as %2B. */
export const momentInQuery = z
  .string()
  .transform((value) => value.replace(/ (?=\d\d:?\d\d$)/, '+'))
  .pipe(moment);

/** A calendar date. */
export const date = z.iso.date().refine(isInReach, IN_REACH);

/** An IANA time zone. Offsets, which Intl takes too, are none: they do not know of summer time. */
export const timeZone = string(64).superRefine((value, context) => {
  if (isTimeZone(value)) return;
  const nearest = nearestName(value, Intl.supportedValuesOf('timeZone'));
  const message = `expected a time zone such as Europe/Berlin${nearest === null ? '' : `, did you mean ${nearest}?`}`;
  context.addIssue({ code: 'custom', message });
});

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== null && !/^[+-]/.test(name);
  } catch {
    return false;
  }
}

/** Names of a fixed set, as `a,b`, as `["a", "b"]`, or as a repeated parameter. */
export const oneOrSeveral = <const Name extends string>(names: readonly [Name, ...Name[]]) =>
  z
    .union([string(1000), list(string(100), { min: 1, max: 50 })], `expected ${names.join(', ')}`)
    .transform((given) => [given].flat().flatMap((part) => part.split(',')))
    .transform((given, context): Name[] => {
      for (const unknown of given.filter((name) => !(names as readonly string[]).includes(name))) {
        const message = `there is no ${unknown.slice(0, 100)}, expected ${names.join(', ')}`;
        context.addIssue({ code: 'custom', message });
      }
      return [...new Set(given as Name[])];
    });

export const queryInt = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

export const queryBoolean = z
  .enum(['true', 'false'], 'expected true or false')
  .transform((value) => value === 'true');
