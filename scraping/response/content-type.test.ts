import { effectiveContentType, isUnsupported, namedType, typeOfDocument } from './content-type.ts';

describe('the type that a server names', () => {
  it.each([
    ['text/html', 'text/html'],
    [' TEXT/HTML ; charset=x', 'text/html'],
    ['text/html, text/html', 'text/html'],
    ['text/plain, text/html', 'text/html'],
    ['text/html, */*', 'text/html'],
    ['text/html, nonsense', 'text/html'],
    ['text/html; a="x, text/plain"', 'text/html'],
    ['text/html;;', 'text/html'],
    ['html', null],
    ['text/', null],
    ['', null],
    [',', null],
    ['*/*', null],
    ['application/unknown', null],
    ['unknown/unknown; x=y', null],
    [null, null],
  ])('in %j is %j', (header, type) => {
    expect(namedType(header)).toBe(type);
  });
});

describe('the type of a document', () => {
  const typeOf = (contentType: string | null, body: string, headers = {}) =>
    typeOfDocument(Buffer.from(body, 'latin1'), { contentType, headers });

  it.each([
    [null, '<!DOCTYPE HTML>', 'text/html'],
    ['html', ' \n<p>x', 'text/html'],
    ['*/*', '<!-- x', 'text/html'],
    [null, '<?xml version="1.0"?>', 'text/xml'],
    [null, '<section>x', 'text/plain'],
    [null, '\xef\xbb\xbf<html>', 'text/plain'],
    [null, '\x01\x02', 'application/octet-stream'],
    [null, '%PDF-1.4', 'application/pdf'],
    [null, '\x1f\x8b\x08', 'application/x-gzip'],
    [null, 'GIF89a', 'image/gif'],
    [null, '', 'text/html'],
    ['text/plain', '<html>', 'text/plain'],
    ['text/plain; charset=utf-8', 'a\x00b', 'application/octet-stream'],
    ['text/plain; charset=utf-16', 'a\x00b\x00', 'text/plain'],
    ['text/plain', '\xff\xfea\x00', 'text/plain'],
    ['text/html', 'BM is no picture', 'text/html'],
    ['text/html', 'a\x00b\x00', 'text/html'],
    ['text/html', '\x89PNG\r\n\x1a\n\x00', 'image/png'],
    ['application/json', '%PDF-1.4', 'application/pdf'],
    ['application/octet-stream', '<html>', 'application/octet-stream'],
  ])('named %j of %j is %s', (named, body, type) => {
    expect(typeOf(named, body)).toBe(type);
  });

  it('is not sniffed as HTML with `nosniff`', () => {
    expect(typeOf(null, '<html>', { 'x-content-type-options': 'NoSniff' })).toBe('text/plain');
    expect(typeOf('text/html', '<html>', { 'x-content-type-options': 'nosniff' })).toBe('text/html');
  });
});

it('files are no documents, whatever parameters their type has', () => {
  expect(isUnsupported('text/html, application/pdf')).toBe(true);
  expect(isUnsupported('IMAGE/PNG; q=1')).toBe(true);
  expect(isUnsupported('image/svg+xml')).toBe(false);
  expect(isUnsupported('application/vnd.wap.xhtml+xml')).toBe(false);
  expect(isUnsupported('*/*')).toBe(false);
});

// The cases of the Fetch standard, with the types Chromium derives.
it.each([
  [[], null],
  [['text/html; charset=UTF-8'], 'text/html; charset=UTF-8'],
  [['text/plain', 'text/html; charset=utf-8'], 'text/html; charset=utf-8'],
  [['text/html; charset=utf-8', 'text/plain'], 'text/plain'],
  [['text/html;charset=gbk', 'text/html'], 'text/html; charset=gbk'],
  [['text/html;charset=gbk', 'text/html;charset=utf-8'], 'text/html;charset=utf-8'],
  [['text/html;charset=gbk', 'x/x', 'text/html;x=y'], 'text/html;x=y'],
  [['text/html', 'nonsense', '', '*/*'], 'text/html'],
  [['text/plain, text/html'], 'text/html'],
  [['text/html; charset="a,b", text/html'], 'text/html; charset="a,b"'],
  [['TEXT/HTML; charset=gbk', 'text/html'], 'text/html; charset=gbk'],
  [['nonsense', 'more of it'], 'nonsense'],
])('of the types %j the response has %j', (values, type) => {
  expect(effectiveContentType(values)).toBe(type);
});
