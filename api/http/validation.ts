import type { z } from 'zod';
import { unknownField } from '../../core/suggest.ts';
import { BODY_LIMIT, readBytes } from './body.ts';
import type { ItemLimits } from './json/check.ts';
import { parseJson, parseJsonWithItems } from './json/read.ts';
import { type FieldError, fieldPath, invalidRequest } from './problem.ts';
import type { ApiRequest } from './route.ts';
import { namesAt } from './schema-names.ts';

/**
 * The request's body, parsed by its schema.
 *
 * @param whenEmpty the value of a missing body, if every field is optional
 */
export async function readBody<T>(request: ApiRequest, schema: z.ZodType<T>, whenEmpty?: object): Promise<T> {
  const bytes = await readBytes(request, BODY_LIMIT);
  if (bytes.length > 0) return parseAs(schema, await parseJson(bytes));
  if (whenEmpty === undefined) throw emptyBody();
  return parseAs(schema, whenEmpty);
}

/**
 * A body with many items in one field, validated one by one with pauses in which other requests
 * run.
 *
 * @param around the schema of the body with an empty array in place of the items
 */
export async function readItems<T>(
  request: ApiRequest,
  {
    limit,
    limits,
    around,
    item,
  }: { limit: number; limits: ItemLimits; around: z.ZodType; item: z.ZodType<T> },
): Promise<T[]> {
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) throw emptyBody();
  const body = await parseJsonWithItems(bytes, limits);
  parseAs(around, body.around);
  const items: T[] = [];
  const errors: FieldError[] = [];
  let index = 0;
  for await (const value of body.items()) {
    const parsed = item.safeParse(value);
    if (parsed.success) items.push(parsed.data);
    else errors.push(...errorsOf(parsed.error, item, [limits.field, index]));
    if (errors.length >= MAX_ERRORS) break;
    index += 1;
  }
  if (errors.length > 0) throw invalidRequest(errors.slice(0, MAX_ERRORS));
  if (items.length === 0) throw invalidRequest([{ path: limits.field, message: 'expected at least 1' }]);
  return items;
}

const emptyBody = () => invalidRequest([{ path: '', message: 'expected a JSON object, got an empty body' }]);

export const readQuery = <T>(request: ApiRequest, schema: z.ZodType<T>): T => parseAs(schema, request.query);

/** For routes without query parameters: a misspelt parameter is an error, not ignored. */
export function requireNoQuery(request: ApiRequest): void {
  if (!request.url.includes('?')) return;
  const unknown = Object.keys(request.query);
  if (unknown.length === 0) return;
  throw invalidRequest(
    unknown.slice(0, MAX_ERRORS).map((name) => ({ path: fieldPath([name]), message: 'unknown field' })),
  );
}

/** @throws Problem 422 that names every invalid field */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(errorsOf(parsed.error, schema));
}

/** More errors than this help no client. */
const MAX_ERRORS = 100;

type Path = readonly PropertyKey[];

/** @param base the value's path in the request */
function errorsOf(error: z.ZodError, schema: z.ZodType, base: Path = []): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of error.issues) {
    const path = fieldPath([...base, ...issue.path]);
    if (issue.code === 'unrecognized_keys') {
      const names = namesAt(schema, issue.path);
      for (const key of issue.keys.slice(0, MAX_ERRORS)) {
        errors.push({ path: fieldPath([...base, ...issue.path, key]), message: unknownField(key, names) });
      }
    } else if (issue.code === 'invalid_key') {
      for (const { message } of issue.issues) errors.push({ path, message: `name: ${message}` });
    } else errors.push({ path, message: issue.message });
    if (errors.length >= MAX_ERRORS) break;
  }
  return errors.slice(0, MAX_ERRORS);
}
