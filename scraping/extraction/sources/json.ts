/**
 * Indents JSON without parsing it into values: a parser would change `10.00`, ids of nineteen
 * digits and duplicate keys. JSON that has white space already, and text that is no JSON, is
 * returned unchanged.
 */
export function spreadJson(json: string): string {
  const text = json.trim();
  return /^[[{]/.test(text) && text.length <= MAX_CHARACTERS && isJson(text) ? (spread(text) ?? json) : json;
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Longer documents are returned unchanged. */
const MAX_CHARACTERS = 2_000_000;
/** Maximum growth by indentation: deep nesting has no other bound. */
const MAX_GROWTH = 4;

/** Null for JSON that has white space already, or would grow too much. */
function spread(json: string): string | null {
  const maxLength = json.length * MAX_GROWTH + 1000;
  let text = '';
  let depth = 0;
  /** The last token, if a line may begin after it. */
  let before: 'open' | 'comma' | null = null;
  for (let at = 0; at < json.length; ) {
    const end = tokenEnd(json, at);
    const token = json.slice(at, end);
    if (/^\s/.test(token)) return null;
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    // Empty objects and arrays stay on one line.
    const breaks = closes ? before !== 'open' : before !== null;
    if (breaks) text += `\n${'  '.repeat(depth)}`;
    text += token === ':' ? ': ' : token;
    before = token === '{' || token === '[' ? 'open' : token === ',' ? 'comma' : null;
    if (before === 'open') depth += 1;
    if (text.length > maxLength) return null;
    at = end;
  }
  return text;
}

/** End of the token at `from`: a string, a punctuator, white space, or a literal. */
function tokenEnd(json: string, from: number): number {
  if (json[from] === '"') return stringEnd(json, from);
  TOKEN.lastIndex = from;
  TOKEN.exec(json);
  return TOKEN.lastIndex;
}

const TOKEN = /[[\]{},:]|\s+|[^\s"[\]{},:]+/y;

/** In steps: one regular expression overflows its stack on a long string. */
function stringEnd(json: string, from: number): number {
  for (let at = from + 1; ; at += 2) {
    STOP.lastIndex = at;
    const stop = STOP.exec(json);
    if (!stop) return json.length;
    if (stop[0] === '"') return stop.index + 1;
    at = stop.index;
  }
}

const STOP = /["\\]/g;
