/**
 * Null if the value is no URL. `javascript:` and similar schemes stay as they are: they have no
 * base.
 */
export function absoluteUrl(value: string, base: string): string | null {
  try {
    return new URL(value, base).href;
  } catch {
    return null;
  }
}
