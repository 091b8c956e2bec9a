import { socialProfile } from './socials.ts';

it.each([
  ['https://www.linkedin.com/company/acme/?trk=abc', 'linkedin', 'https://www.linkedin.com/company/acme'],
  ['https://de.linkedin.com/company/acme', 'linkedin', 'https://www.linkedin.com/company/acme'],
  ['http://twitter.com/AcmeCo/', 'x', 'https://x.com/acmeco'],
  ['https://mobile.twitter.com/#!/AcmeCo', 'x', 'https://x.com/acmeco'],
  ['https://x.com/acmeco', 'x', 'https://x.com/acmeco'],
  ['https://fb.com/acme', 'facebook', 'https://www.facebook.com/acme'],
  ['https://de-de.facebook.com/acme?ref=hl', 'facebook', 'https://www.facebook.com/acme'],
  ['https://www.facebook.com/pages/Acme/12345', 'facebook', 'https://www.facebook.com/pages/Acme/12345'],
  [
    'https://www.facebook.com/profile.php?id=100&x=1',
    'facebook',
    'https://www.facebook.com/profile.php?id=100',
  ],
  ['https://instagram.com/acme/?hl=en', 'instagram', 'https://www.instagram.com/acme'],
  ['https://www.youtube.com/@acme/videos', 'youtube', 'https://www.youtube.com/@acme'],
  ['https://www.youtube.com/channel/UC123abc', 'youtube', 'https://www.youtube.com/channel/UC123abc'],
  ['https://www.tiktok.com/@acme', 'tiktok', 'https://www.tiktok.com/@acme'],
  ['https://github.com/acme', 'github', 'https://github.com/acme'],
])('%s is a profile', (link, network, url) => {
  expect(socialProfile(link)).toEqual({ network, url });
});

it.each([
  'https://www.facebook.com/sharer/sharer.php?u=https://acme.com',
  'https://www.facebook.com/tr?id=1',
  'https://www.facebook.com/plugins/like.php',
  'https://twitter.com/intent/tweet?text=x',
  'https://twitter.com/share',
  'https://twitter.com/acme/status/123',
  'https://www.linkedin.com/shareArticle?url=x',
  'https://www.youtube.com/watch?v=abc',
  'https://youtu.be/abc',
  'https://www.instagram.com/p/abc/',
  'https://github.com/acme/site',
  'https://www.facebook.com/',
  'https://acme.com/facebook.com/acme',
  'not a link',
])('%s is no profile', (link) => {
  expect(socialProfile(link)).toBeNull();
});
