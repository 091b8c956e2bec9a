/** Of `text`, from `pg_type`. */
const TEXT = 25;

/**
 * A `text[]` in Postgres's binary form, for use as a parameter. The driver would write it as one
 * string with every quote escaped, and JSON is full of quotes: that took longer than all its other
 * work for a statement.
 *
 * One dimension: number of dimensions, a flag for NULLs, the element's type, length, lower bound;
 * then each element with its length.
 */
export function textArray(values: readonly (string | Buffer)[]): Buffer {
  const bytes = values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : value.length));
  const array = Buffer.allocUnsafe(bytes.reduce((sum, length) => sum + 4 + length, 20));
  let at = 0;
  for (const number of [1, 0, TEXT, values.length, 1]) at = array.writeInt32BE(number, at);
  for (const [index, value] of values.entries()) {
    at = array.writeInt32BE(bytes[index] ?? 0, at);
    at += typeof value === 'string' ? array.write(value, at) : value.copy(array, at);
  }
  return array;
}
