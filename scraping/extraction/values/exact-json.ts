/**
 * Parses JSON, with numbers that a parser would change as strings of what is written: `10.00`, ids
 * of nineteen digits, `1e400`.
 *
 * @throws SyntaxError
 */
export function parseJsonExactly(json: string): unknown {
  // Only JSON is searched for numbers: in anything else a string may not end.
  const value: unknown = JSON.parse(json);
  if (!UNUSUAL.test(json)) return value;
  const exact = json.replace(TOKEN, (token) => {
    const isNumber = /^-?\d/.test(token);
    return isNumber && String(Number(token)) !== token ? `"${token}"` : token;
  });
  return JSON.parse(exact);
}

/** Strings, and numbers outside of them. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;
/** Long numbers, decimals that end in a zero, exponents. */
const UNUSUAL = /\d{16}|\.\d*0(?!\d)|\d[eE]/;
