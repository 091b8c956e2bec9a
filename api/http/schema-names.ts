import type { z } from 'zod';

/** The field names an object may have at a place of a request, by its schema; none where the schema cannot be looked into. */
export function namesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let here = partsOf(schema);
  for (const name of path) here = here.flatMap((parent) => childrenOf(parent, name)).flatMap(partsOf);
  return [...new Set(here.flatMap((part) => Object.keys(definitionOf(part).shape ?? {})))];
}

/** What zod's definitions have for the schemas inside them, whatever kind they are of. */
interface Definition {
  shape?: Record<string, z.core.$ZodType>;
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  out?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
}

const definitionOf = (schema: z.core.$ZodType) => schema._zod.def as Definition;

/** The schema itself, or those it is made of: all of a union's, both of a pipe's. */
function partsOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { innerType, options, in: first, out } = definitionOf(schema);
  const inner = [innerType, first, out, ...(options ?? [])].filter((part) => part !== undefined);
  return inner.length === 0 ? [schema] : inner.flatMap(partsOf);
}

function childrenOf(parent: z.core.$ZodType, name: PropertyKey): z.core.$ZodType[] {
  const { shape, element, valueType } = definitionOf(parent);
  const ofName = shape && Object.hasOwn(shape, name) ? shape[String(name)] : undefined;
  return [ofName, element, valueType].filter((part) => part !== undefined);
}
