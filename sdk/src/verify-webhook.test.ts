import { describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { verifyWebhook } from './verify-webhook.ts';

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('another one of thirty-two bytes.').toString('base64')}`;
const body = JSON.stringify({
  type: 'job.completed',
  timestamp: '2026-01-01T00:00:00.000Z',
  data: { n: 'ü' },
});
const at = new Date('2026-01-01T00:00:00Z');
const now = at.getTime();
const headers = {
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(now / 1000),
  // As the reference implementation signs.
  'webhook-signature': new Webhook(SECRET).sign('msg_1', at, body),
};

describe('a webhook', () => {
  test.each([
    ['an object', headers],
    ['Headers', new Headers(headers)],
    ['lists', Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))],
  ])('is read with its id, from headers as %s', async (_how, given) => {
    const message = await verifyWebhook(body, given, SECRET, { now });
    expect(message).toEqual({ ...JSON.parse(body), id: 'msg_1' });
  });

  test('may be bytes, and signed with one of several secrets', async () => {
    const bytes = new TextEncoder().encode(body);
    await expect(verifyWebhook(bytes, headers, [OTHER, SECRET], { now })).resolves.toMatchObject({
      type: 'job.completed',
    });
    const both = { ...headers, 'webhook-signature': `v1,AAAA v2,x ${headers['webhook-signature']}` };
    await expect(verifyWebhook(body, both, SECRET, { now })).resolves.toBeDefined();
  });

  test.each([
    ['another body', `${body} `, headers, SECRET, now],
    ['another secret', body, headers, OTHER, now],
    ['another id', body, { ...headers, 'webhook-id': 'msg_2' }, SECRET, now],
    ['no signature', body, { ...headers, 'webhook-signature': undefined }, SECRET, now],
    ['a signature that is none', body, { ...headers, 'webhook-signature': 'v1,%%%' }, SECRET, now],
    ['a secret that is none', body, headers, 'whsec_%%%', now],
    ['an age of more than five minutes', body, headers, SECRET, now + 301_000],
    ['a time to come', body, headers, SECRET, now - 301_000],
    ['a time that is none', body, { ...headers, 'webhook-timestamp': 'now' }, SECRET, now],
  ])('with %s is refused', async (_what, text, given, secret, moment) => {
    await expect(verifyWebhook(text, given, secret, { now: moment })).rejects.toMatchObject({
      name: 'LeadEngineError',
      code: 'invalid_signature',
    });
  });
});
