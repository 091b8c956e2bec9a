import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseExtractSelector } from '../../../core/selectors/extract-selector.ts';
import { OperatorError } from '../../../runtime/operator-error.ts';

const selector = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .superRefine((value, context) => {
    const parsed = parseExtractSelector(value);
    if (parsed.kind === 'wrong') {
      context.addIssue({ code: 'custom', message: `not a CSS selector: ${parsed.problem}` });
    }
  });
const field = z.union(
  [selector, z.strictObject({ selector, attribute: z.string().trim().min(1).max(100).optional() })],
  'expected a CSS selector, or an object of selector and attribute',
);
const fields = z.strictObject({
  company: field.optional(),
  website: field.optional(),
  email: field.optional(),
  phone: field.optional(),
  fax: field.optional(),
  address: field.optional(),
  industry: field.optional(),
  description: field.optional(),
});

const webUrl = z.string().refine((value) => /^https?:\/\//.test(value), 'expected an http or https URL');

const directory = z.strictObject({
  name: z
    .string()
    .regex(/^[\w .-]{1,60}$/, 'expected a name of up to 60 letters, digits, spaces, dots and dashes'),
  /** With the placeholders `{query}`, `{industry}`, `{geography}`, `{keywords}` and `{page}`. */
  search_url: webUrl,
  /** Value of `{page}` on the first page of results. */
  first_page: z.int().min(0).default(1),
  max_pages: z.int().min(1).max(100).default(5),
  /** Selector of the link to the next page, for directories without `{page}`. */
  next: selector.optional(),
  /** Each match is one business; the selectors of `fields` apply inside it. */
  listing: selector,
  fields,
  /** The detail page of each business. */
  detail: z.strictObject({ link: selector, fields }).optional(),
  /** ISO 3166-1 alpha-2 country of phone numbers without a calling code. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'expected a country code such as DE')
    .optional(),
});
export type Directory = z.infer<typeof directory>;
export type DirectoryFields = z.infer<typeof fields>;

const file = z.strictObject({ directories: z.array(directory).min(1).max(100) });

/** @throws OperatorError naming the invalid fields, in one line */
export function parseDirectories(text: string, name: string): Directory[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new OperatorError(`${name}: not JSON (${(error as Error).message})`);
  }
  const parsed = file.safeParse(json);
  if (parsed.success) return parsed.data.directories;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new OperatorError(`${name}: ${problems.slice(0, 5).join('; ')}`);
}

/** The directories declared in DIRECTORIES_FILE; none if it is not set. */
export function readDirectories(path: string | undefined): Directory[] {
  if (path === undefined) return [];
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError(`DIRECTORIES_FILE: ${(error as Error).message}`);
  }
  return parseDirectories(text, `DIRECTORIES_FILE ${path}`);
}

/** `host:port` of each directory, in the format of EGRESS_ALLOW. */
export const directoryAuthorities = (directories: readonly Directory[]): string[] =>
  directories.map(({ search_url }) => {
    const { hostname, port, protocol } = new URL(search_url.replace(/[{}]/g, ''));
    return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  });
