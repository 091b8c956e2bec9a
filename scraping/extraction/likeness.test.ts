import { expect, test } from '@jest/globals';
import { extract } from './extract.ts';

const likenessOf = (body: string, head = '') =>
  extract({
    html: `<!doctype html><head><title>T</title>${head}</head><body><p>Text</p>${body}</body>`,
    ...{ url: 'https://site.example/a', title: 'T', charset: 'UTF-8' },
    ...{ formats: ['text'], mainContent: true, likeness: true },
  }).likeness;

const json = (sku: string) =>
  `<script type="application/ld+json">{"@type": "Product", "sku": "${sku}"}</script>`;

test.each([
  ['a picture', '<img src="/1.jpg">', '<img src="/2.jpg">'],
  ['a lazy picture', '<img src="/0.gif" data-src="/1.jpg">', '<img src="/0.gif" data-src="/2.jpg">'],
  ['a picture in its place of many', '<picture><source srcset="/1.webp"></picture>', '<picture></picture>'],
  ['a video', '<video src="/1.mp4"></video>', '<video src="/2.mp4"></video>'],
  ['a frame', '<iframe src="/1"></iframe>', '<iframe src="/2"></iframe>'],
  ['JSON-LD', json('1'), json('2')],
  ['microdata', '<meta itemprop="sku" content="1">', '<meta itemprop="sku" content="2">'],
])('%s makes a difference', (_name, one, other) => {
  expect(likenessOf(one)).toMatch(/^[0-9a-f]{64}$/);
  expect(likenessOf(one)).toBe(likenessOf(one));
  expect(likenessOf(one)).not.toBe(likenessOf(other));
});

test.each([
  ['the order of pictures', '<img src="/1.jpg"><img src="/2.jpg">', '<img src="/2.jpg"><img src="/1.jpg">'],
  ['a tracking pixel', '<img src="/p?1" width="1" height="1">', '<img src="/p?2" width="1" height="1">'],
  ['a class', '<p class="a">b</p>', '<p class="c">b</p>'],
])('%s makes none', (_name, one, other) => {
  expect(likenessOf(one)).toBe(likenessOf(other));
});

test('a token of the request makes none', () => {
  expect(likenessOf('', '<meta name="csrf-token" content="1">')).toBe(
    likenessOf('', '<meta name="csrf-token" content="2">'),
  );
});
