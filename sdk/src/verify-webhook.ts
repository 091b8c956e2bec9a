import { LeadEngineError } from './errors.ts';

/** What a webhook's body holds; `data` is that of the event `type`. */
export interface WebhookMessage {
  type: string;
  /** ISO 8601, UTC. */
  timestamp: string;
  data: Record<string, unknown>;
}

/** Of a request: `Headers`, or an object such as `request.headers` of Node. */
export type HeadersLike =
  | { get(name: string): string | null }
  | Record<string, string | string[] | undefined>;

/** Seconds that the sender's clock may differ. */
const TOLERANCE_SECONDS = 300;

/**
 * Verifies a webhook (https://www.standardwebhooks.com) with WebCrypto, so it runs in Node, browsers
 * and at the edge alike.
 *
 * @param body exactly as received: parsed and written again it has another signature
 * @param secret `whsec_…`; several while a secret is being replaced
 * @returns the message, with `id`: the same in every repetition, so drop what you have seen
 * @throws LeadEngineError `invalid_signature` if it was not signed with the secret, or is older than
 *   five minutes
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: HeadersLike,
  secret: string | readonly string[],
  { now = Date.now() }: { now?: number } = {},
): Promise<WebhookMessage & { id: string }> {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  if (!id || !timestamp || !signatures) throw invalid('a webhook-… header is missing');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw invalid('it was sent too long ago, or the clocks differ by more than five minutes');
  }
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  const given = signatures.split(' ').flatMap((each) => (each.startsWith('v1,') ? [each.slice(3)] : []));
  for (const one of [secret].flat()) {
    const key = await keyOf(one);
    for (const signature of given) {
      const bytes = decodeBase64(signature);
      // Compares in constant time.
      if (bytes && (await crypto.subtle.verify('HMAC', key, bytes, signed))) {
        return { ...(JSON.parse(text) as WebhookMessage), id };
      }
    }
  }
  throw invalid('no signature fits the secret');
}

function headerOf(headers: HeadersLike, name: string): string | null {
  if (typeof headers.get === 'function') return headers.get(name);
  const value = (headers as Record<string, string | string[] | undefined>)[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const bytes = decodeBase64(secret.replace(/^whsec_/, ''));
  if (!bytes || bytes.length === 0) throw invalid('the secret is not of the form whsec_…');
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

const invalid = (why: string) => new LeadEngineError('invalid_signature', `the webhook is not valid: ${why}`);
