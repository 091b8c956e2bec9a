import { Webhook } from 'standardwebhooks';
import { signatureHeaders } from './webhook.ts';

const secret = Buffer.alloc(32, 7).toString('base64');
const other = Buffer.alloc(32, 9).toString('base64');
const message = { id: 'd0', timestamp: new Date(), body: '{"type":"job.completed","text":"größer"}' };

test('the reference library accepts the signature, and rejects it for another body', () => {
  const headers = signatureHeaders(message, [secret]);
  expect(new Webhook(`whsec_${secret}`).verify(message.body, headers)).toEqual(JSON.parse(message.body));
  expect(() => new Webhook(`whsec_${secret}`).verify(`${message.body} `, headers)).toThrow();
  expect(() => new Webhook(`whsec_${other}`).verify(message.body, headers)).toThrow();
});

test('during a rotation a receiver that has either secret accepts it', () => {
  const headers = signatureHeaders(message, [secret, other]);
  for (const known of [secret, other]) new Webhook(`whsec_${known}`).verify(message.body, headers);
  expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
});
