import { domainToASCII } from 'node:url';
import { z } from 'zod';

/** The values that requests are made of, whatever they are about. */

/** Text of a bounded length: what is longer is refused before any other rule looks at it. */
export const string = (max: number) => z.string().max(max, { abort: true });

/** Postgres cannot keep a NUL in text. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max, { abort: true })
    .min(1)
    .regex(/^[^\0]*$/, 'expected text without NUL characters');

/** An array of a bounded length: how many there are is asked before what they are, and a million wrong ones are one mistake. */
export const list = <Item extends z.ZodType>(item: Item, { min = 0, max }: { min?: number; max: number }) =>
  z.array(z.unknown()).min(min).max(max).pipe(z.array(item));

/** What belongs to the user and is handed back untouched. */
export const metadata = z.record(string(200), z.unknown());

/** Fields of any name, a bounded number of them, and that is asked first too. */
export const fields = <Name extends z.core.$ZodRecordKey, Value extends z.ZodType>(
  name: Name,
  value: Value,
  max: number,
) =>
  z
    .record(z.string(), z.unknown())
    .refine((record) => Object.keys(record).length <= max, `expected at most ${max} fields`)
    .pipe(z.record(name, value));

/** Also of other alphabets: a domain is sent as Punycode, and a name before the @ to servers that know SMTPUTF8. */
export const emailAddress = string(320).refine(isEmailAddress, 'expected an e-mail address');

function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const name = text.slice(0, at).replace(/(?!\p{ASCII})[\p{L}\p{M}\p{N}]/gu, 'a');
  const domain = text.slice(at + 1);
  // The rule below knows ASCII alone, and of a last label nothing but letters.
  const ascii = /^[\p{L}\p{M}\p{N}.-]+$/u.test(domain) ? domainToASCII(domain) : '';
  return z.email().safeParse(`${name}@${ascii.replace(/\.xn--[a-z0-9-]+$/, '.xn')}`).success;
}

/** Only the web: `file:`, `data:`, `ftp:` and the browser's own schemes are refused before anything is stored. */
export const webUrl = string(8192).superRefine((value, context) => {
  const problem = webUrlProblem(value);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

function webUrlProblem(value: string): string | null {
  if (!URL.canParse(value)) return 'expected an absolute URL such as https://example.com/';
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `expected an http or https URL, got ${url.protocol.slice(0, 32)}`;
  }
  if (url.hostname === '') return 'expected a URL with a host';
  return null;
}

const LAST_MOMENT = Date.UTC(9999, 0);
/** A moment in UTC: Postgres takes neither the year 0 nor every offset that ISO 8601 allows. */
export const moment = z.iso
  .datetime({ offset: true })
  // What is no moment at all (NaN) has been told already.
  .refine(
    (value) => !(Date.parse(value) < 0 || Date.parse(value) >= LAST_MOMENT),
    'expected a year from 1970 to 9998',
  )
  .transform((value) => new Date(value).toISOString());

/** Names out of a list, as `a,b`, as `["a", "b"]`, or as a parameter that is given several times. */
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
    .pipe(z.number().min(min).max(max));

export const queryBoolean = z
  .enum(['true', 'false'], 'expected true or false')
  .transform((value) => value === 'true');
