import { decodeDocument, sniffEncoding } from './charset.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const sniff = (text: string, contentType: string | null = null, url = '') =>
  sniffEncoding(bytes(text), contentType, url);

describe('the encoding of a document', () => {
  it.each([
    ['utf-8', '\xef\xbb\xbf<meta charset=koi8-r>'],
    ['utf-16be', '\xfe\xff\0<'],
    ['utf-16le', '\xff\xfe<\0'],
  ])('is %s by its byte-order mark, whatever is declared', (encoding, text) => {
    expect(sniff(text, 'text/html; charset=iso-8859-2')).toBe(encoding);
  });

  it.each([
    ['text/html; charset=ISO-8859-2', 'iso-8859-2'],
    ['text/html;charset="Shift_JIS"', 'shift_jis'],
    ["text/html; charset = 'x-sjis'", 'shift_jis'],
    ['text/html; boundary=x; charset=latin1;', 'windows-1252'],
    ['text/html; charset=iso-8859-2, text/html', 'iso-8859-2'],
    ['text/html; charset=utf-8, text/html; charset=iso-8859-2', 'iso-8859-2'],
  ])('is the one named by the server: %s', (contentType, encoding) => {
    expect(sniff('<meta charset=koi8-r>', contentType)).toBe(encoding);
  });

  it.each([
    ['text/html; charset=utf8mb4', 'h\xc3\xa9', 'utf-8'],
    ['text/html; charset=UTF-8-SIG', 'h\xc3\xa9', 'utf-8'],
    ['text/html; charset=cp932', '\x93\xfa\x96{', 'shift_jis'],
    ['text/html; charset=ms932', '\x93\xfa\x96{', 'shift_jis'],
    ['text/html; charset=windows-31j', '\x93\xfa\x96{', 'shift_jis'],
    ['text/html; charset=CP949', '\x81\x41', 'euc-kr'],
    ['text/html; charset=uhc', '\x81\x41', 'euc-kr'],
    ['text/html; charset=cp936', '\xc4\xe3', 'gbk'],
    ['text/html; charset=big5-hkscs', '\x87\x40', 'big5'],
    ['text/html; charset=windows1251', '\xcf', 'windows-1251'],
    ['text/html; charset=cp932', 'h\xc3\xa9', 'utf-8'],
    ['text/html; charset=utf8mb4', 'caf\xe9', 'windows-1252'],
    ['text/html; charset=utf-7', '+AGEAYg-', 'windows-1252'],
    ['text/html; charset=hz-gb-2312', 'text', 'windows-1252'],
  ])(
    'may have the label of another program, if the bytes are valid in it: %s of %j',
    (contentType, text, encoding) => {
      expect(sniff(text, contentType)).toBe(encoding);
    },
  );

  it('is the one named by the server, even if the document declares UTF-8 and its bytes are valid', () => {
    expect(sniff('<meta charset=utf-8>h\xc3\xa9', 'text/html; charset=iso-8859-1')).toBe('windows-1252');
  });

  it('is not declared by markup in a text, and in XML only by its declaration', () => {
    const text = '<meta charset=koi8-r>';
    expect(sniffEncoding(bytes(text), null, '', 'text')).toBe('windows-1252');
    expect(sniffEncoding(bytes(text), null, '', 'xml')).toBe('windows-1252');
    expect(sniffEncoding(bytes(`<?xml version="1.0" encoding="koi8-r"?>`), null, '', 'xml')).toBe('koi8-r');
  });

  it('is the one the document declares if the server names none that exists', () => {
    expect(sniff('<meta charset=koi8-r>', 'text/html; charset=none')).toBe('koi8-r');
  });

  it.each([
    ['<meta charset=koi8-r>', 'koi8-r'],
    ["<META CHARSET = 'koi8-r' />", 'koi8-r'],
    ['<title>x</title><meta http-equiv="Content-Type" content="text/html; charset=euc-kr">', 'euc-kr'],
    ['<meta content="text/html; charset=big5" http-equiv=content-type>', 'big5'],
    ['<meta charset=nonsense><meta charset=koi8-u>', 'koi8-u'],
    ['<!-- <meta charset=koi8-r> --><meta charset=gbk>', 'gbk'],
    ['<!--><meta charset=gbk>', 'gbk'],
    ['<p title="<meta charset=koi8-r>"><meta charset=gbk>', 'gbk'],
    ['<?xml version="1.0" encoding="windows-1251"?><html>', 'windows-1251'],
    ['<meta charset=utf-16>', 'utf-8'],
    ['<meta charset=x-user-defined>', 'windows-1252'],
    [`<head><style>${' '.repeat(3000)}</style><meta charset=koi8-r>`, 'koi8-r'],
  ])('is what %s declares', (text, encoding) => {
    expect(sniff(text)).toBe(encoding);
  });

  it.each([
    '<metacharset=koi8-r>',
    '<meta charset=koi8-r',
    '<meta name="x" content="text/html; charset=koi8-r">',
    `<body>${' '.repeat(2000)}<p><meta charset=koi8-r>`,
    '<!-- <meta charset=koi8-r>',
  ])('is not declared by %s', (text) => {
    expect(sniff(text)).toBe('windows-1252');
  });

  it('is UTF-8 if the bytes are valid UTF-8', () => {
    expect(sniffEncoding(Buffer.from('<p>Fähre über den Fluß'), null)).toBe('utf-8');
  });

  it.each([
    ['<html lang="ru-RU">\xcf\xf0\xe8\xe2\xe5\xf2', '', 'windows-1251'],
    ['\xcf\xf0\xe8\xe2\xe5\xf2', 'http://shop.example.ru/', 'windows-1251'],
    ['<html lang=ja>\xc6\xfc\xcb\xdc\xb8\xec', '', 'euc-jp'],
    ['<html lang=ja>\x93\xfa\x96{\x8c\xea', '', 'shift_jis'],
    ['\x1b$BF|K\\8l\x1b(B', '', 'iso-2022-jp'],
    ['<html lang="zh-TW">\xa4\xa4\xa4\xe5', '', 'big5'],
    ['<html lang="de">Gr\xfc\xdfe', 'http://example.ru/', 'windows-1252'],
    ['caf\xe9', 'http://example.com/', 'windows-1252'],
  ])('is guessed from language and bytes: %j at %s', (text, url, encoding) => {
    expect(sniff(text, null, url)).toBe(encoding);
  });
});

describe('a decoded document', () => {
  it.each([
    ['windows-1252', '\x80 \x93quoted\x94 \x96 caf\xe9', '€ “quoted” – café', 'windows-1252'],
    ['iso-8859-1', '\x85', '…', 'windows-1252'],
    ['utf-8', '\xef\xbb\xbfa\xff', 'a\ufffd', 'UTF-8'],
    ['shift_jis', '\x93\xfa\x96{', '日本', 'Shift_JIS'],
    ['iso8859-2', '\xb1', 'ą', 'ISO-8859-2'],
    ['euc-kr', '\x81\x41\xc0\xda', '갂자', 'EUC-KR'],
    ['big5-hkscs', '\x87\x40\xfe\xfe', '䏰秔', 'Big5'],
    ['koi8-u', '\xae\xbe', 'ўЎ', 'KOI8-U'],
    ['windows-1255', '\xca', 'ֺ', 'windows-1255'],
    ['x-user-defined', 'a\xff', 'a\uf7ff', 'x-user-defined'],
    ['utf-16', '<\0p\0', '<p', 'UTF-16LE'],
  ])('in %s', (label, text, expected, charset) => {
    expect(decodeDocument(bytes(text), `text/html; charset=${label}`, '')).toEqual({
      text: expected,
      charset,
    });
  });

  it('of a view into a larger buffer covers that view only', () => {
    const view = bytes('xx\x80yy').subarray(2, 3);
    expect(decodeDocument(view, 'text/html; charset=windows-1252', '').text).toBe('€');
  });
});
