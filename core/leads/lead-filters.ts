import { z } from 'zod';
import { fields, list, string, text } from '../schema-primitives.ts';
import { nearestName } from '../suggest.ts';
import { fold } from '../text.ts';
import { countryCode } from './country.ts';
import { isInGeography } from './geography.ts';
import type { Lead } from './lead.ts';

/** Inclusive bounds of a number; null is unbounded. */
export interface Range {
  min: number | null;
  max: number | null;
}

const UNITS: Record<string, number> = { k: 1e3, m: 1e6, mio: 1e6, mn: 1e6, b: 1e9, bn: 1e9 };
const NUMBER = String.raw`[$€£]?\s*(\d+(?:[.,]\d+)*)\s*(k|mio|mn|m|bn|b)?\s*(?:[$€£]|eur|usd|gbp|employees|people)?`;
const BETWEEN = new RegExp(`^${NUMBER}\\s*(?:-|–|to|\\.\\.)\\s*${NUMBER}$`, 'i');
const COMPARED = new RegExp(`^(>=|<=|>|<|=)?\\s*${NUMBER}\\s*(\\+)?$`, 'i');

const LONGEST = 100;

/** Parses `50-200`, `>1M`, `<=500`, `10+`, `1.5M-20M`, `120`. Null for anything else. */
export function parseRange(text: string): Range | null {
  // The text may come from a page, so it can be anything.
  if (text.length > LONGEST) return null;
  const between = BETWEEN.exec(text.trim());
  if (between) {
    const min = amount(between[1], between[2] ?? between[4]);
    const max = amount(between[3], between[4]);
    return min !== null && max !== null && min <= max ? { min, max } : null;
  }
  const [, sign = '', digits, unit, plus] = COMPARED.exec(text.trim()) ?? [];
  const value = amount(digits, unit);
  if (value === null || (sign && plus)) return null;
  if (sign.startsWith('>') || plus)
    return { min: sign === '>' ? value + Number.EPSILON * value : value, max: null };
  if (sign.startsWith('<')) return { min: null, max: sign === '<' ? value - Number.EPSILON * value : value };
  return { min: value, max: value };
}

function amount(digits: string | undefined, unit: string | undefined): number | null {
  if (digits === undefined) return null;
  // Three digits after a dot or comma are thousands; anything else is a fraction.
  const plain = /^\d{1,3}([.,]\d{3})+$/.test(digits) ? digits.replace(/[.,]/g, '') : digits.replace(',', '.');
  const value = Number(plain) * (UNITS[unit?.toLowerCase() ?? ''] ?? 1);
  return Number.isFinite(value) ? value : null;
}

const range = (example: string) =>
  z
    .union([string(50), z.number().min(0)], `expected a range such as ${example}`)
    .refine((value) => parseRange(String(value)) !== null, `expected a range such as ${example}`);

const country = string(100).refine(
  (value) => countryCode(value) !== null,
  'expected a country, such as "DE" or "Germany"',
);

const word = text(200);
const oneOrMany = <T extends z.ZodType>(item: T) => z.union([item, list(item, { min: 1, max: 100 })]);

const FILTERS = {
  country: oneOrMany(country),
  city: oneOrMany(word),
  industry: oneOrMany(word),
  company_size: range('"50-200", ">100" or "10+"'),
  revenue: range('">1M" or "500k-2M"'),
  has_email: z.boolean(),
  has_phone: z.boolean(),
  has_address: z.boolean(),
  has_website: z.boolean(),
  exclude_domains: list(word, { min: 1, max: 1000 }),
};
export type FilterName = keyof typeof FILTERS;
const FILTER_NAMES = Object.keys(FILTERS) as FilterName[];

const shape = z.strictObject(FILTERS).partial();

/**
 * `filters` of a job, passed on unchanged. An unknown name would filter nothing, so it is an error.
 */
export const leadFilters = fields(string(100), z.unknown(), 100).superRefine((value, context) => {
  for (const issue of shape.safeParse(value).error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const nearest = nearestName(key, FILTER_NAMES);
        const meant = nearest === null ? '' : `; did you mean \`${nearest}\`?`;
        const message = `unknown filter, expected one of ${FILTER_NAMES.join(', ')}${meant}`;
        context.addIssue({ code: 'custom', path: [key], message });
      }
    } else {
      const message = issue.code === 'invalid_union' ? unionMessage(issue) : issue.message;
      context.addIssue({ code: 'custom', path: issue.path, message });
    }
  }
});

const unionMessage = (issue: z.core.$ZodIssueInvalidUnion): string =>
  issue.message !== 'Invalid input' ? issue.message : (issue.errors[0]?.[0]?.message ?? issue.message);

export type LeadFilters = z.infer<typeof shape>;

export type FilterVerdict =
  | { kind: 'fits'; unverified: (FilterName | 'geography')[] }
  /** A known field of the lead does not match. */
  | { kind: 'out'; filter: FilterName | 'geography' };

/**
 * Applies filters to a lead's known fields. An unknown field (most sites do not state their size,
 * none its revenue) excludes no lead: it passes and lists the filter in `unverified_filters`.
 * `has_email` and `has_phone` can always be checked. The place of the search is a filter too.
 */
export function applyFilters(
  lead: Lead,
  filters: Record<string, unknown> | undefined,
  geography?: string,
): FilterVerdict {
  const wanted = (filters ?? {}) as LeadFilters;
  const unverified: (FilterName | 'geography')[] = [];
  for (const name of FILTER_NAMES) {
    if (wanted[name] === undefined) continue;
    const fits = CHECKS[name](lead, wanted);
    if (fits === false) return { kind: 'out', filter: name };
    if (fits === null) unverified.push(name);
  }
  const isThere = geography === undefined ? true : isInGeography(lead, geography);
  if (isThere === false) return { kind: 'out', filter: 'geography' };
  if (isThere === null) unverified.push('geography');
  return { kind: 'fits', unverified };
}

/** Whether the lead matches; null if unknown. */
const CHECKS: Record<FilterName, (lead: Lead, filters: LeadFilters) => boolean | null> = {
  country: ({ addresses }, filters) => {
    const known = addresses.flatMap(({ country }) => country ?? []);
    const wanted = listOf(filters.country).map((value) => countryCode(value) ?? value);
    return known.length === 0 ? null : known.some((value) => wanted.includes(value));
  },
  city: ({ addresses }, filters) => {
    const known = addresses.flatMap(({ city }) => city ?? []).map(fold);
    return known.length === 0
      ? null
      : listOf(filters.city).some((city) => known.some((value) => value.includes(fold(city))));
  },
  industry: ({ industry }, filters) =>
    industry === null ? null : listOf(filters.industry).some((word) => fold(industry).includes(fold(word))),
  company_size: ({ employees }, filters) => {
    const known = employees === null ? null : parseRange(employees);
    const wanted = parseRange(String(filters.company_size));
    return known && wanted ? overlap(known, wanted) : null;
  },
  // No page states it reliably.
  revenue: () => null,
  has_email: ({ emails }, filters) => emails.length > 0 === filters.has_email,
  has_phone: ({ phones }, filters) => phones.length > 0 === filters.has_phone,
  has_address: ({ addresses }, filters) => addresses.length > 0 === filters.has_address,
  has_website: ({ website }, filters) => (website !== null) === filters.has_website,
  exclude_domains: ({ domain }, filters) =>
    !filters.exclude_domains?.some((excluded) => {
      const name = excluded.toLowerCase().replace(/^www\./, '');
      return domain === name || domain?.endsWith(`.${name}`);
    }),
};

const listOf = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const overlap = (a: Range, b: Range): boolean =>
  (a.min ?? -Infinity) <= (b.max ?? Infinity) && (b.min ?? -Infinity) <= (a.max ?? Infinity);
