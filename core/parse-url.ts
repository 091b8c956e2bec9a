/**
 * The parsed URL; null if `text` is none.
 *
 * `URL.canParse` must not be used instead: on Node 20 its compiled form takes `https://example.com/straße`
 * and every other text with a letter from U+0080 to U+00FF for no URL, after some thousand calls.
 */
export function parseUrl(text: string, base?: string | URL): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
