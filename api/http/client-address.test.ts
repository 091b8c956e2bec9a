import type { IncomingMessage } from 'node:http';
import { createClientAddress } from './client-address.ts';

const clientAddress = createClientAddress(['127.0.0.0/8', '::1', '10.0.0.0/8']);
const from = (peer: string, headers: Record<string, string> = {}): string =>
  clientAddress({ headers, socket: { remoteAddress: peer } as IncomingMessage['socket'] });
const XFF = 'x-forwarded-for';

test.each<[string, string, Record<string, string>, string]>([
  ['no proxy', '127.0.0.1', {}, '127.0.0.1'],
  ['a proxy', '127.0.0.1', { [XFF]: '192.0.2.1' }, '192.0.2.1'],
  ['a proxy in IPv6', '::1', { [XFF]: '192.0.2.1' }, '192.0.2.1'],
  ['a proxy in IPv4 as IPv6', '::ffff:127.0.0.1', { [XFF]: '192.0.2.1' }, '192.0.2.1'],
  ['a proxy that adds the port', '127.0.0.1', { [XFF]: '192.0.2.1:4711' }, '192.0.2.1'],
  ['IPv6', '127.0.0.1', { [XFF]: '2001:db8::1' }, '2001:db8::1'],
  ['IPv6 in another spelling', '127.0.0.1', { [XFF]: '2001:0DB8:0:0::0001' }, '2001:db8::1'],
  ['IPv6 in brackets', '127.0.0.1', { [XFF]: '[2001:db8::1]' }, '2001:db8::1'],
  ['IPv6 with a port', '127.0.0.1', { [XFF]: '[2001:db8::1]:4711' }, '2001:db8::1'],
  ['two proxies', '127.0.0.1', { [XFF]: '192.0.2.1, 10.1.2.3' }, '192.0.2.1'],
  ['proxies all the way', '127.0.0.1', { [XFF]: '10.1.2.4,10.1.2.3' }, '10.1.2.4'],
  ['a client that sends a forged header', '127.0.0.1', { [XFF]: '198.51.100.9, 192.0.2.1' }, '192.0.2.1'],
  ['a client that forges a proxy', '127.0.0.1', { [XFF]: '198.51.100.9, 10.0.0.1, 192.0.2.1' }, '192.0.2.1'],
  ['a peer that is not a proxy', '192.0.2.7', { [XFF]: '192.0.2.1' }, '192.0.2.7'],
  ['a proxy that is not trusted', '172.16.0.1', { [XFF]: '192.0.2.1' }, '172.16.0.1'],
  ['nonsense', '127.0.0.1', { [XFF]: '192.0.2.1, unknown' }, '127.0.0.1'],
  ['an empty list', '127.0.0.1', { [XFF]: '' }, '127.0.0.1'],
  ['empty items', '127.0.0.1', { [XFF]: ',192.0.2.1, , 10.1.2.3 ,' }, '192.0.2.1'],
  ['RFC 7239', '127.0.0.1', { forwarded: 'for=192.0.2.1;proto=https;by=10.0.0.1' }, '192.0.2.1'],
  ['RFC 7239 quoted', '127.0.0.1', { forwarded: 'by=x; For="[2001:db8::1]:4711"' }, '2001:db8::1'],
  [
    'RFC 7239 in a list',
    '127.0.0.1',
    { forwarded: 'for=198.51.100.9, for=192.0.2.1, for="10.0.0.1"' },
    '192.0.2.1',
  ],
  ['RFC 7239 with empty items', '127.0.0.1', { forwarded: ', for=192.0.2.1, ,' }, '192.0.2.1'],
  ['RFC 7239 with commas in quotes', '127.0.0.1', { forwarded: 'for=192.0.2.1;host="a, b"' }, '192.0.2.1'],
  [
    'RFC 7239 with a parameter in quotes',
    '127.0.0.1',
    { forwarded: 'by="_a;for=198.51.100.9"; for=192.0.2.1' },
    '192.0.2.1',
  ],
  ['RFC 7239 with escapes', '127.0.0.1', { forwarded: 'for="\\[2001:db8::1\\]"' }, '2001:db8::1'],
  [
    'RFC 7239 behind a quote that does not end',
    '127.0.0.1',
    { forwarded: 'for="198.51.100.9, for=192.0.2.1' },
    '192.0.2.1',
  ],
  ['RFC 7239 hidden', '127.0.0.1', { forwarded: 'for=_hidden' }, '127.0.0.1'],
  ['both', '127.0.0.1', { [XFF]: '192.0.2.1', forwarded: 'for=198.51.100.9' }, '192.0.2.1'],
])('behind %s', (_what, peer, headers, expected) => expect(from(peer, headers)).toBe(expected));

test('without trusted proxies the headers are ignored', () => {
  const untrusting = createClientAddress([]);
  const request = { headers: { [XFF]: '192.0.2.1' }, socket: { remoteAddress: '127.0.0.1' } };
  expect(untrusting(request as unknown as IncomingMessage)).toBe('127.0.0.1');
});

test('a list of maximum header length is parsed quickly', () => {
  expect(from('127.0.0.1', { forwarded: `for=${'"'.repeat(15_000)}` })).toBe('127.0.0.1');
  expect(from('127.0.0.1', { forwarded: `for=${'"\\'.repeat(8000)}` })).toBe('127.0.0.1');
  expect(from('127.0.0.1', { forwarded: ' a='.repeat(5000) })).toBe('127.0.0.1');
  expect(from('127.0.0.1', { [XFF]: `${'10.0.0.1,'.repeat(1500)}10.0.0.2` })).toMatch(/^10\.0\.0\./);
});
