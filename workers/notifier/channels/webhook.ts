import { createHmac } from 'node:crypto';
import type { NotifyConfig } from '../../../runtime/settings/config.ts';
import type { HttpClient } from '../../../scraping/http/client.ts';
import { type Channel, refused } from '../channel.ts';
import { post } from '../post.ts';

/**
 * Signed messages to a user's server, per Standard Webhooks: the id is the delivery's on every
 * attempt.
 */
export const createWebhookChannel = (http: HttpClient, config: NotifyConfig): Channel => ({
  name: 'webhook',
  maxAttempts: config.webhookAttempts,
  retry: config.webhookRetry,
  concurrency: config.concurrency,
  leases: 1,
  circuitKey: ({ webhook }) => (webhook ? new URL(webhook.url).host : ''),
  send: async ([delivery], signal) => {
    const { id, webhook, type, occurredAt, data } = delivery;
    if (!webhook || webhook.paused) {
      return refused({ code: 'endpoint_paused', message: 'the endpoint was paused' });
    }
    if (webhook.secrets.length === 0) {
      return refused({
        code: 'secret_unreadable',
        message: 'the secret of the endpoint cannot be decrypted',
      });
    }
    const body = JSON.stringify({ type, timestamp: occurredAt.toISOString(), data });
    const headers = signatureHeaders({ id, timestamp: new Date(), body }, webhook.secrets);
    return post(http, webhook.url, {
      body,
      headers: {
        'content-type': 'application/json',
        ...(webhook.authorization ? { authorization: webhook.authorization } : {}),
        ...headers,
      },
      signal,
    });
  },
});

/**
 * Computes the headers of Standard Webhooks (https://www.standardwebhooks.com). During a rotation
 * both secrets sign, and a receiver that has either accepts the message.
 *
 * @param secrets base64, without `whsec_`
 */
export function signatureHeaders(
  message: { id: string; timestamp: Date; body: string },
  secrets: string[],
): Record<string, string> {
  const seconds = Math.floor(message.timestamp.getTime() / 1000);
  const signed = `${message.id}.${seconds}.${message.body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret, 'base64');
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  });
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  };
}
