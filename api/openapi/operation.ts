import { z } from 'zod';

/** What one method of a path takes and answers. Errors are problems, and declared by their codes. */
export interface Operation {
  summary: string;
  description?: string;
  query?: z.ZodType;
  body?: z.ZodType;
  /** The body may be left out. */
  isBodyOptional?: boolean;
  /** It takes the header `Idempotency-Key`. */
  isIdempotent?: boolean;
  answers: Record<number, OperationAnswer>;
  /** Codes beyond those that every call of its kind may be answered with. */
  errors?: Record<number, readonly string[]>;
}

export interface OperationAnswer {
  says: string;
  json?: z.ZodType;
  /** Media types other than JSON. */
  types?: readonly string[];
  example?: unknown;
}

/** By method and path, as routes are declared: `GET /api/v1/jobs/:id`. */
export type Operations = Record<string, Operation>;

export const time = z.string().meta({ format: 'date-time' });
export const uuid = z.string().meta({ format: 'uuid' });
export const count = z.int();
export const anything = z.record(z.string(), z.unknown());
export const errorInfo = z.object({ code: z.string(), message: z.string() }).meta({ id: 'ErrorInfo' });
const nextCursor = z.string().nullable().meta({ description: 'For the next page; null at the end' });

/** A page of a list. */
export const listOf = <Item extends z.ZodType>(name: string, item: Item, others: z.ZodRawShape = {}) =>
  z.object({ [name]: z.array(item), next_cursor: nextCursor, ...others });

export const ok = (says: string, json: z.ZodType, example?: unknown): Record<number, OperationAnswer> => ({
  200: { says, json, ...(example === undefined ? {} : { example }) },
});
export const created = (says: string, json: z.ZodType): Record<number, OperationAnswer> => ({
  201: { says, json },
});
export const removed = (says: string): Record<number, OperationAnswer> => ({ 204: { says } });
