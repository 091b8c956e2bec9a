import { z } from 'zod';
import { fields, text } from '../schema-primitives.ts';
import { parseExtractSelector } from '../selectors/extract-selector.ts';
import { unknownField } from '../suggest.ts';

/** Fields of `extract`: a CSS selector, or a rule with nested fields. */

const selector = text(1000).pipe(
  z.string().superRefine((value, context) => {
    const parsed = parseExtractSelector(value);
    if (parsed.kind === 'wrong') {
      context.addIssue({ code: 'custom', message: `not a CSS selector: ${parsed.problem}` });
    }
  }),
);

export const FIELD_TYPES = ['text', 'html', 'number', 'integer', 'boolean', 'date', 'url'] as const;
/** Nesting limit of `fields`. */
const MAX_FIELD_DEPTH = 5;
const MAX_FIELDS = 200;

/** A field of `extract` in a request. */
export type ExtractField =
  | string
  | {
      selector: string;
      attribute?: string | undefined;
      many?: boolean | undefined;
      type?: (typeof FIELD_TYPES)[number] | undefined;
      fields?: Record<string, ExtractField> | undefined;
    };

const fieldNames = fields(text(100), z.unknown(), MAX_FIELDS);

/**
 * Checked by hand: a union of schemas would report an error three levels down only at the outermost
 * field.
 */
export function extractFields(depth: number): z.ZodType<Record<string, ExtractField>> {
  const field = z.unknown().transform((value, context): ExtractField => {
    const isRule = typeof value === 'object' && value !== null && !Array.isArray(value);
    const schema: z.ZodType<ExtractField> = isRule ? extractRule(depth) : selectorAlone;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const { path, message } = issue;
      // Unknown names are reported at their path, as everywhere in a request.
      const places = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
      for (const place of places) {
        const what =
          issue.code === 'unrecognized_keys' ? unknownField(String(place.at(-1)), RULE_NAMES) : message;
        context.addIssue({ code: 'custom', path: place, message: what });
      }
    }
    return z.NEVER;
  });
  return fieldNames.pipe(z.record(z.string(), field));
}

const RULE_NAMES = ['selector', 'attribute', 'many', 'type', 'fields'];

const selectorAlone: z.ZodType<ExtractField> = z
  .string('expected a CSS selector, or an object of selector, attribute, many, type and fields')
  .pipe(selector);

function extractRule(depth: number): z.ZodType<ExtractField> {
  return z
    .strictObject({
      selector,
      attribute: text(100).optional(),
      many: z.boolean().optional(),
      type: z.enum(FIELD_TYPES).optional(),
      fields:
        depth < MAX_FIELD_DEPTH
          ? extractFields(depth + 1).optional()
          : z.undefined(`expected fields at most ${MAX_FIELD_DEPTH} deep`).optional(),
    })
    .superRefine((rule, context) => {
      if (rule.fields === undefined) return;
      for (const other of ['attribute', 'type'] as const) {
        if (rule[other] === undefined) continue;
        const message = `expected either ${other} or fields: what has fields is an object`;
        context.addIssue({ code: 'custom', path: [other], message });
      }
    });
}
