import { describe, expect, test } from '@jest/globals';
import { createValidateTarget } from './link-target.ts';

const validateTarget = createValidateTarget({
  publicUrl: 'https://go.example.com',
  egressAllow: ['10.1.0.0/16', 'localhost:8080'],
});

describe('a short link may lead to', () => {
  test.each([
    'https://example.com/a?b#c',
    'http://93.184.216.34:8080/',
    'https://[2606:4700::1111]/',
    'https://go.example.com/docs',
    'http://10.1.2.3/',
    'http://localhost:8080/',
  ])('%s', (url) => {
    expect(validateTarget(url)).toBeNull();
  });
});

describe('a short link may not lead to', () => {
  test.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://localhost/',
    'http://a.localhost./',
    'http://10.2.0.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/',
    'http://[::ffff:192.168.0.1]/',
    'https://user:secret@example.com/',
    'https://go.example.com/r/abc',
    'https://go.example.com/%72/abc',
    'https://go.example.com/abc+',
    'http://go.example.com/r/abc',
    'https://GO.Example.COM:443/r/abc',
    'http://go.example.com:80/r/abc',
    'https://go.example.com./r/abc',
    'https://go.ex%61mple.com/r/abc',
    'https://ｇｏ.example.com/r/abc',
    'https://go.example.com//r//abc',
    'https://go.example.com/R/ABC',
    'https://go.example.com/r%2Fabc',
    'https://go.example.com\\r\\abc',
    'https://go.example.com/x/../r/abc',
    'https://go.example.com/abc+/',
    'https://go.example.com/r/abc%2B',
  ])('%s', (url) => {
    expect(validateTarget(url)).toEqual(expect.any(String));
  });
});

test.each([
  [
    'http://127.0.0.1:3000',
    [
      'http://localhost:3000/r/a',
      'http://[::1]:3000/r/a',
      'http://127.1:3000/r/a',
      'http://[::ffff:7f00:1]:3000/r/a',
      'http://2130706433:3000/r/a',
      'http://0x7f.0.0.1:3000/r/a',
    ],
  ],
  ['http://[2001:db8::1]', ['http://[2001:0DB8:0::1]/r/a', 'https://[2001:db8::1]:443/r/a']],
  ['http://192.0.2.7', ['http://192.0.519/r/a', 'http://[::ffff:192.0.2.7]/r/a', 'http://3221225991/r/a']],
  [
    'https://example.com/go',
    ['https://example.com/go/r/a', 'http://example.com//go//r/a', 'https://example.com/g%6f/R/a'],
  ],
])('a short link of %s may not lead back in another spelling', (publicUrl, urls) => {
  const validateOwn = createValidateTarget({
    publicUrl,
    egressAllow: ['127.0.0.0/8', '::1', '192.0.2.7', '2001:db8::/32'],
  });
  for (const url of urls)
    expect({ url, reason: validateOwn(url) }).toEqual({ url, reason: 'leads back to a short link' });
});
