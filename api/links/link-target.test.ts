import { describe, expect, test } from '@jest/globals';
import { createJudgeTarget } from './link-target.ts';

const judge = createJudgeTarget({
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
    expect(judge(url)).toBeNull();
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
  ])('%s', (url) => {
    expect(judge(url)).toEqual(expect.any(String));
  });
});
