/**
 * A copy that JSON and Postgres can store: neither accepts a NUL or an unpaired surrogate, and
 * rendered pages can contain both.
 */
export function storable<T>(value: T): T {
  return clean(value) as T;
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [cleanText(name), clean(item)]));
}

function cleanText(text: string): string {
  const wellFormed = UNPAIRED_SURROGATE.test(text) ? text.replace(UNPAIRED_SURROGATE_ALL, '\uFFFD') : text;
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '') : wellFormed;
}

const UNPAIRED_SURROGATE = /\p{Surrogate}/u;
const UNPAIRED_SURROGATE_ALL = /\p{Surrogate}/gu;
