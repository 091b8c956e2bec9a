import type { z } from 'zod';
import { BODY_LIMIT, readJson } from './body.ts';
import { storageProblem } from './json-storage-limits.ts';
import { type FieldError, invalidRequest } from './problem.ts';
import type { ApiRequest } from './route.ts';

/**
 * The request's body, as its schema says.
 *
 * @param whenEmpty what no body at all stands for, where every field may be left out
 */
export async function readBody<T>(
  request: ApiRequest,
  schema: z.ZodType<T>,
  limit = BODY_LIMIT,
  whenEmpty?: object,
): Promise<{ body: T; bytes: number }> {
  const { json = whenEmpty, bytes } = await readJson(request, limit);
  if (json === undefined) {
    throw invalidRequest([{ path: '', message: 'expected a JSON object, got an empty body' }]);
  }
  // Before the schema, and alone: it would tell the same again field by field, and no longer see a `__proto__`.
  const unstorable = storageProblem(json);
  if (unstorable) throw invalidRequest([{ ...unstorable, path: pathOf(unstorable.path) }]);
  return { body: parseAs(schema, json), bytes };
}

export const readQuery = <T>(request: ApiRequest, schema: z.ZodType<T>): T => parseAs(schema, request.query);

/** For the routes that take no query: a misspelt parameter is told, not ignored. */
export function expectNoQuery(request: ApiRequest): void {
  if (!request.url.includes('?')) return;
  const unknown = Object.keys(request.query);
  if (unknown.length > 0) throw invalidRequest(unknown.slice(0, MAX_ERRORS).map(unknownField([])));
}

/** @throws a 422 that names every field that does not fit */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues.flatMap((issue) => fieldErrors(issue)).slice(0, MAX_ERRORS));
}

/** A batch can hold a million mistakes; nobody reads the hundred-and-first. */
const MAX_ERRORS = 100;

type Path = readonly PropertyKey[];

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(unknownField(issue.path));
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path: pathOf(issue.path), message: `name: ${message}` }));
    default:
      return [{ path: pathOf(issue.path), message: issue.message }];
  }
}

const unknownField =
  (parent: Path) =>
  (key: string): FieldError => ({ path: pathOf([...parent, key]), message: 'unknown field' });

const pathOf = (path: Path): string => path.map(String).join('.');
