/**
 * The encoding declared in an HTML document, found before decoding: "prescan a byte stream to
 * determine its encoding" (html.spec.whatwg.org, 13.2.3.2). The current library for it needs a
 * later Node than we do.
 */

/** Browsers scan this many bytes, and further while the head continues. */
const SURE_BYTES = 1024;
const MOST_BYTES = 64 * 1024;

/**
 * The first encoding that the document declares, or null. Bytes are read as ISO-8859-1, one
 * character each.
 *
 * @param encodingOf null for a label that names none
 */
export function prescan(
  bytes: Uint8Array,
  encodingOf: (label: string) => string | null,
  declaring: 'html' | 'xml' = 'html',
): string | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_BYTES)).toString(
    'latin1',
  );
  const xml = xmlLabel(text);
  const declared = xml && encodingOf(xml);
  return declared || (declaring === 'html' ? metaEncoding(text, encodingOf) : null);
}

function xmlLabel(text: string): string | null {
  const declaration = /^<\?xml\s[^>]*?\bencoding\s*=\s*(?:"([^">]*)"|'([^'>]*)')[^>]*>/.exec(text);
  return (declaration?.[1] ?? declaration?.[2])?.trim() || null;
}

function metaEncoding(text: string, encodingOf: (label: string) => string | null): string | null {
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    if (text.startsWith('<!--', at)) {
      // The dashes of the opening may be those of the end: `<!-->`.
      const end = text.indexOf('-->', at + 2);
      if (end < 0) return null;
      at = end + 3;
    } else if (/^<meta[\t\n\f\r /]/i.test(text.slice(at, at + 6))) {
      const { attributes, end, isComplete } = readAttributes(text, at + 5);
      const label = isComplete ? labelOf(attributes) : null;
      const encoding = label && encodingOf(label);
      if (encoding) return encoding;
      at = end;
    } else if (/^<\/?[a-z]/i.test(text.slice(at, at + 3))) {
      if (at > SURE_BYTES && /^<(body|div|p|h1|table)[\s>]/i.test(text.slice(at, at + 7))) return null;
      at = readAttributes(text, indexOfAny(text, '\t\n\f\r >', at)).end;
    } else if (/^<[!/?]/.test(text.slice(at, at + 2))) {
      const end = text.indexOf('>', at);
      if (end < 0) return null;
      at = end + 1;
    } else {
      at += 1;
    }
  }
  return null;
}

interface Attributes {
  attributes: Map<string, string>;
  /** Offset after the tag. */
  end: number;
  /** False if the bytes end within the tag, which is then ignored. */
  isComplete: boolean;
}

/** The standard's "get an attribute", repeated until the tag ends. The first of a name counts. */
function readAttributes(text: string, from: number): Attributes {
  const attributes = new Map<string, string>();
  const cut = { attributes, end: text.length, isComplete: false };
  let at = from;
  for (;;) {
    at = skip(text, '\t\n\f\r /', at);
    if (at >= text.length) return cut;
    if (text[at] === '>') return { attributes, end: at + 1, isComplete: true };
    const nameFrom = at;
    // A name may start with `=`, but contain no further one.
    at = indexOfAny(text, '\t\n\f\r /=>', at + (text[at] === '=' ? 1 : 0));
    const name = text.slice(nameFrom, at).toLowerCase();
    at = skip(text, '\t\n\f\r ', at);
    let value = '';
    if (text[at] === '=') {
      at = skip(text, '\t\n\f\r ', at + 1);
      const quote = text[at];
      if (quote === '"' || quote === "'") {
        const close = text.indexOf(quote, at + 1);
        if (close < 0) return cut;
        value = text.slice(at + 1, close);
        at = close + 1;
      } else {
        const end = indexOfAny(text, '\t\n\f\r >', at);
        value = text.slice(at, end);
        at = end;
      }
    }
    if (!attributes.has(name)) attributes.set(name, value.toLowerCase());
  }
}

function labelOf(attributes: ReadonlyMap<string, string>): string | null {
  const charset = attributes.get('charset');
  if (charset !== undefined) return charset.trim() || null;
  if (attributes.get('http-equiv') !== 'content-type') return null;
  return labelInContent(attributes.get('content') ?? '');
}

/**
 * The standard's "extracting a character encoding from a meta element", from `text/html;
 * charset=x`.
 */
export function labelInContent(content: string): string | null {
  const found = /charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r ;"']+))/i.exec(content);
  return (found?.[1] ?? found?.[2] ?? found?.[3])?.trim() || null;
}

function skip(text: string, characters: string, from: number): number {
  let at = from;
  while (at < text.length && characters.includes(text[at] ?? '')) at += 1;
  return at;
}

function indexOfAny(text: string, characters: string, from: number): number {
  let at = from;
  while (at < text.length && !characters.includes(text[at] ?? '')) at += 1;
  return at;
}
