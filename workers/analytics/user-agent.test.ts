import { expect, test } from '@jest/globals';
import { readUserAgent } from './user-agent.ts';

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox', 'desktop'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    'Safari',
    'mobile',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Chrome',
    'desktop',
  ],
  ['some-tool/1.2', 'some-tool', null],
  ['', 'Unknown', null],
])('%s is %s', (text, family, device) => {
  expect(readUserAgent(text)).toEqual({ family, device });
});

test('a robot is named by its product', () => {
  expect(readUserAgent('Mozilla/5.0 (compatible; ExampleBot/2.0; +http://example.com/bot)').family).toBe(
    'ExampleBot',
  );
});
