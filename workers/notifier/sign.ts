import { createHmac } from 'node:crypto';

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
