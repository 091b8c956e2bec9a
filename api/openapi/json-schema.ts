import { z } from 'zod';

/** A schema of JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = Record<string, unknown>;

type Side = 'input' | 'output';

/**
 * The JSON Schema of a zod schema; those with an id are put into `named` and referred to. Of a pipe,
 * such as a list that is checked for its length before its items, both halves are described.
 *
 * @param side `input` for what is accepted, `output` for what is answered
 */
export function jsonSchemaOf(schema: z.ZodType, side: Side, named: Record<string, JsonSchema>): JsonSchema {
  const {
    $schema: _,
    $defs = {},
    ...json
  } = z.toJSONSchema(schema, {
    io: side,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const second = side === 'input' ? secondHalfOf(zodSchema) : null;
      if (!second) return;
      const { minItems, maxItems, description, default: fallback } = jsonSchema;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      Object.assign(jsonSchema, jsonSchemaOf(second, side, named), {
        ...(minItems === undefined ? {} : { minItems }),
        ...(maxItems === undefined ? {} : { maxItems }),
        ...(description === undefined ? {} : { description }),
        ...(fallback === undefined ? {} : { default: fallback }),
      });
    },
  }) as JsonSchema & { $defs?: Record<string, JsonSchema> };
  for (const [name, definition] of Object.entries($defs)) named[name] = moved(definition) as JsonSchema;
  return moved(json) as JsonSchema;
}

/** What a value of a pipe must be after its first half, unless that is a transformation. */
function secondHalfOf(schema: z.core.$ZodTypes): z.ZodType | null {
  const { def } = schema._zod;
  if (def.type !== 'pipe') return null;
  const { out } = def as z.core.$ZodPipeDef;
  return out._zod.def.type === 'transform' ? null : (out as z.ZodType);
}

/** References as they are in a document of OpenAPI; `id` is zod's name, which JSON Schema reads as an address. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => key !== 'id' || typeof inner !== 'string')
      .map(([key, inner]) => [
        key,
        key === '$ref' ? String(inner).replace('#/$defs/', '#/components/schemas/') : moved(inner),
      ]),
  );
}
