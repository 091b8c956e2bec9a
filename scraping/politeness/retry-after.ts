/** A host that asks for a longer pause is asked again after this. */
const LONGEST_PAUSE_MS = 60 * 60_000;

/**
 * The pause a host asks for: `Retry-After` of an answer 429 or 503, in seconds or as a date (RFC 9110, 10.2.3).
 *
 * @param headers by lower-case name, several of one name joined by commas or line ends: the longest pause holds. A date is compared
 *   with the answer's own `Date`: no clock of ours is asked
 * @returns null if it does not ask
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

/** The date in an item has a comma of its own, behind the day of the week. */
const itemsOf = (list: string | null | undefined): string[] =>
  (list ?? '').match(/(?:[ \t]*[a-z]{3,9},)?[^,\n]+/gi)?.map((item) => item.trim()) ?? [];
