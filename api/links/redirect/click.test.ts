import { describe, expect, test } from '@jest/globals';
import { clickEvent } from './click.ts';

const kindOf = (headers: Record<string, string>, method = 'GET') => {
  const { data } = clickEvent(
    {
      link: { id: 'l', user_id: 'u', url: 'https://example.com/', share: false } as never,
      ...{ code: 'abc', at: 0, peer: '192.0.2.1', request: { method, headers } as never },
    },
    { saltOf: () => undefined, publicUrl: 'https://go.example.com', clientAddress: () => '' },
  );
  return data.kind;
};

describe('a click is not of a person', () => {
  test.each<Record<string, string>>([
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
    { purpose: 'prefetch' },
    { 'x-purpose': 'preview' },
    { 'x-moz': 'prefetch' },
  ])('that a browser makes ahead: %j', (headers) => expect(kindOf(headers)).toBe('bot'));

  test.each([
    'WhatsApp/2.23.20.0 A',
    'TelegramBot (like TwitterBot)',
    'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
    'Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)',
    'facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984',
    'mattermost-9.5',
    'Signal-Desktop/7.0',
    'Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.5290; Pro)',
    'LinkPresentation/1 CFNetwork/1494 Darwin/23',
    'Dalvik/2.1.0 (Linux; U; Android 13)',
    'Mozilla/5.0 (compatible; Atlassian-Smart-Links)',
  ])('of a program that shows a preview: %s', (agent) => expect(kindOf({ 'user-agent': agent })).toBe('bot'));
});

test.each([
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 Instagram 385.0.0.0 (iPhone15,2; iOS 18_5; de_DE)',
  'Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/137.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/518.0.0.0;]',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
])('a click with %s is', (agent) => expect(kindOf({ 'user-agent': agent })).toBe('person'));
