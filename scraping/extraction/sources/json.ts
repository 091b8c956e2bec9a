/**
 * JSON spread over lines for a reader, and otherwise as it is written: what a parser makes of `10.00`, of an id of nineteen digits or of
 * a key that comes twice is not what the page says. What has white space of its own, or is no JSON, stays as it is.
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

/** More is for programs, and stays as it is. */
const MAX_CHARACTERS = 2_000_000;
/** Indentation may not make more of a document than this many times what it is: deep nesting has no other bound. */
const MAX_GROWTH = 4;

/** Null for JSON that is spread already, or would grow too much. */
function spread(json: string): string | null {
  const maxLength = json.length * MAX_GROWTH + 1000;
  let text = '';
  let depth = 0;
  /** Behind an opening bracket or a comma, where a line begins. */
  let before: 'open' | 'comma' | null = null;
  for (let at = 0; at < json.length; ) {
    const end = tokenEnd(json, at);
    const token = json.slice(at, end);
    if (/^\s/.test(token)) return null;
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    // What is empty stays together.
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

/** Of a string, a bracket, comma or colon, white space, or all between them. */
function tokenEnd(json: string, from: number): number {
  if (json[from] === '"') return stringEnd(json, from);
  TOKEN.lastIndex = from;
  TOKEN.exec(json);
  return TOKEN.lastIndex;
}

const TOKEN = /[[\]{},:]|\s+|[^\s"[\]{},:]+/y;

/** Step by step: a regular expression runs out of stack in a long one. */
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
