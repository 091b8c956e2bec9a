import type { z } from 'zod';

/** The field names a schema allows at a path of a request; none if the schema is opaque. */
export function namesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let here = partsOf(schema);
  for (const name of path) here = here.flatMap((parent) => childrenOf(parent, name)).flatMap(partsOf);
  return [...new Set(here.flatMap((part) => Object.keys(definitionOf(part).shape ?? {})))];
}

/** The fields of zod's definitions that hold inner schemas. */
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

/** The schema itself, or its parts: all of a union's, both of a pipe's. */
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
