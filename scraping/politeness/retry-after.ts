/** A host that asks for a longer pause is asked again after this. */
const LONGEST_PAUSE_MS = 60 * 60_000;

/**
 * The pause a host asks for: `Retry-After` of an answer 429 or 503, in seconds or as a date (RFC 9110, 10.2.3).
 *
 * @param headers by lower-case name. A date is compared with the answer's own `Date`: no clock of ours is asked
 * @returns null if it does not ask
 */
export function retryAfterMs(
  status: number,
  headers: Readonly<Record<string, string | null | undefined>>,
): number | null {
  const value = headers['retry-after']?.trim();
  if ((status !== 429 && status !== 503) || !value) return null;
  const ms = /^\d+(\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(headers.date ?? '');
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}
