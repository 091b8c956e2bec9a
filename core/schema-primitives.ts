import { z } from 'zod';

/** The values that requests are made of, whatever they are about. */

/** Postgres cannot keep a NUL in text. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\0]*$/, 'expected text without NUL characters');

/** Only the web: `file:`, `data:`, `ftp:` and the browser's own schemes are refused before anything is stored. */
export const webUrl = z
  .string()
  .max(8192)
  .superRefine((value, context) => {
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

export const queryInt = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min).max(max));

export const queryBoolean = z
  .enum(['true', 'false'], 'expected true or false')
  .transform((value) => value === 'true');
