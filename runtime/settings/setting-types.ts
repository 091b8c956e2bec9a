import { z } from 'zod';
import { ROLES, type Role } from '../../core/accounts/scopes.ts';
import { parseUrl } from '../../core/parse-url.ts';

// Types of setting values. Each error message says what was expected.

export const text = z.string().trim();

/** Not trimmed: a password may begin or end with blanks. */
export const verbatim = z.string();

export const wholeNumber = (min: number, max: number) => {
  const expected = `expected a whole number from ${min} to ${max}`;
  return text
    .regex(/^\d{1,12}$/, expected)
    .transform(Number)
    .pipe(z.number().min(min, expected).max(max, expected));
};

export const urlOf = (...protocols: string[]) => {
  // `http:host` is a URL too, but not what is meant.
  const beginnings = protocols.map((protocol) => (protocol === 'mailto:' ? protocol : `${protocol}//`));
  return text.refine(
    (value) =>
      parseUrl(value) !== null && beginnings.some((beginning) => value.toLowerCase().startsWith(beginning)),
    `expected a URL that begins with ${beginnings.join(' or ')}`,
  );
};

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `expected one of ${values.join(', ')}`);

export const base64url = (bytes: number) =>
  text.refine(
    (value) => /^[A-Za-z0-9_-]+$/.test(value) && Buffer.from(value, 'base64url').length === bytes,
    `expected ${bytes} bytes as base64url`,
  );

/** Separated by commas or blanks. */
export const listOf = <T extends z.ZodType<unknown, string>>(entry: T) =>
  z
    .string()
    .transform((value) => value.split(/[\s,]+/).filter(Boolean))
    .pipe(z.array(entry));

export type LimitsByRole = Partial<Record<Role, number | null>>;

/** `1000` for all but admins, or `member:1000, admin:50000`; `none` is no limit. */
export const limitByRole = (min: number, max: number) => {
  const expected = `expected a whole number from ${min} to ${max} or none, or those of roles (${ROLES.join(', ')}) such as member:${Math.min(max, 1000)}, admin:none`;
  return text.transform((value, context): LimitsByRole => {
    const limits: LimitsByRole = {};
    const add = (role: string | undefined, limit: string | undefined): boolean => {
      const known = ROLES.find((name) => name === role);
      const number = limit === 'none' ? null : /^\d{1,15}$/.test(limit ?? '') ? Number(limit) : Number.NaN;
      if (!known || (number !== null && !(number >= min && number <= max))) return false;
      limits[known] = number;
      return true;
    };
    const entries = value.split(/\s*,\s*/);
    const isForAll = entries.length === 1 && !value.includes(':');
    const isGood = isForAll
      ? add('member', value) && add('read_only', value)
      : entries.every((entry) => add(...(entry.split(/\s*:\s*/, 2) as [string, string?])));
    if (isGood) return limits;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
};
