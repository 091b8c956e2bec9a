/** Upper limit for a requested pause. */
const LONGEST_PAUSE_MS = 60 * 60_000;

/**
 * The pause a host requests: `Retry-After` of a 429 or 503, in seconds or as a date (RFC 9110,
 * 10.2.3).
 *
 * @param headers by lower-case name, several of one name joined by commas or line ends: the longest
 *   pause counts. A date is relative to the response's own `Date`, not to the local clock
 * @returns milliseconds, at most an hour; null if no pause is requested
 */
export function retryAfterMs(
  status: number,
  headers: Readonly<Record<string, string | null | undefined>>,
): number | null {
  if (status !== 429 && status !== 503) return null;
  const [date = ''] = itemsOf(headers.date);
  let longest: number | null = null;
  for (const item of itemsOf(headers['retry-after'])) {
    const ms = /^\d+(\.\d+)?$/.test(item) ? Number(item) * 1000 : Date.parse(item) - Date.parse(date);
    if (!Number.isNaN(ms)) longest = Math.max(ms, longest ?? 0);
  }
  return longest === null ? null : Math.min(longest, LONGEST_PAUSE_MS);
}

/** A date contains a comma too, after the day of the week. */
const itemsOf = (list: string | null | undefined): string[] =>
  (list ?? '').match(/(?:[ \t]*[a-z]{3,9},)?[^,\n]+/gi)?.map((item) => item.trim()) ?? [];
