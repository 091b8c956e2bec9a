import { htmlSignals } from './html-signals.ts';
import { refreshMarkup, refreshTarget } from './refresh.ts';

const target = (html: string | null, header: string | null = null, url = 'https://a.example/dir/page') =>
  refreshTarget({ url, header, markup: html === null ? null : htmlSignals(html) });

it('is searched only in pages that may contain one', () => {
  expect(refreshMarkup('<p>http-equiv and refresh')).toBeNull();
  expect(refreshMarkup('<META content="0;/a" HTTP-EQUIV = "refresh">')?.refreshesTo).toBe('/a');
});

describe('the refresh target of a page', () => {
  it.each([
    ['<meta http-equiv="refresh" content="0;url=next">', 'https://a.example/dir/next'],
    ['<META HTTP-EQUIV=REFRESH CONTENT="10; URL=/next?a=1&amp;b=2">', 'https://a.example/next?a=1&b=2'],
    ['<base href="/other/"><meta http-equiv="refresh" content="0;url=next">', 'https://a.example/other/next'],
    [
      '<meta http-equiv=refresh content="nonsense"><meta http-equiv=refresh content="0;/b">',
      'https://a.example/b',
    ],
    [
      '<meta http-equiv=refresh content="0;/a"><meta http-equiv=refresh content="0;/b">',
      'https://a.example/a',
    ],
  ])('is that of its markup: %s', (html, expected) => {
    expect(target(html)).toBe(expected);
  });

  it('is that of its header, which takes precedence over its markup', () => {
    const html = '<base href="/other/"><meta http-equiv="refresh" content="0;url=/markup">';
    expect(target(html, '0;url=header')).toBe('https://a.example/other/header');
    expect(target(html, '90;url=/header')).toBeNull();
    expect(target(html, 'nonsense')).toBe('https://a.example/markup');
    expect(target(null, '0;url=//b.example')).toBe('https://b.example/');
  });

  it.each([
    '<!-- <meta http-equiv="refresh" content="0;url=next"> -->',
    '<noscript><meta http-equiv="refresh" content="0;url=next"></noscript>',
    '<script>"<meta http-equiv=\\"refresh\\" content=\\"0;url=next\\">"</script>',
    '<meta http-equiv="refresh" content="11;url=next">',
    '<meta http-equiv="refresh" content="0">',
    '<meta http-equiv="refresh" content="0;url=">',
    '<meta http-equiv="refresh" content="0;url=#below">',
    '<meta http-equiv="refresh" content="0;url=javascript:alert(1)">',
    '<meta http-equiv="refresh" content="0;url=file:///etc/passwd">',
    '<meta http-equiv="refresh" content="0;url=https://[">',
  ])('is missing: %s', (html) => {
    expect(target(html)).toBeNull();
  });
});
