import { encode, NOTICES, noticePage } from '../../test/fixtures/site/languages.ts';
import { decodeDocument } from './charset.ts';

const read = (bytes: Uint8Array, url = 'http://a.example/') => decodeDocument(bytes, 'text/html', url);

describe('a page that does not say its encoding', () => {
  const pages = NOTICES.flatMap((notice) => notice.encodings.map((encoding) => ({ ...notice, encoding })));

  it.each(pages)('in $language is read in $encoding', ({ encoding, ...notice }) => {
    for (const isShort of [true, false]) {
      const page = noticePage(notice, isShort);
      expect(read(encode(page, encoding)).text.normalize()).toBe(page.normalize());
    }
  });

  it.each(NOTICES)('in $language is read in UTF-8, even truncated within a character', (notice) => {
    const bytes = Buffer.from(noticePage(notice, false));
    expect(read(bytes)).toEqual({ text: bytes.toString(), charset: 'UTF-8' });
    const lastLetter = bytes.findLastIndex((byte) => byte >= 0xc0);
    expect(read(bytes.subarray(0, lastLetter + 1)).charset).toBe('UTF-8');
    const withForeign = Buffer.concat([bytes, Buffer.from('<p>caf\xe9 ', 'latin1')]);
    expect(read(withForeign).charset).toBe('UTF-8');
  });

  it.each([
    'café',
    'Grüße aus Köln',
    '© 2024 Example Ltd',
    'It’s “fine” – really…',
    '€ 5,00 ± ½',
    'São Paulo',
    'déjà vu',
    'À propos',
    'Smørrebrød på Østerbro',
    'a\u00a0b',
  ])('has few letters of windows-1252: %s', (words) => {
    for (const page of [`<title>Welcome</title><h1>Welcome to our site</h1><p>${words}`, `<p>${words}`]) {
      expect(read(encode(page, 'windows-1252')).text).toBe(page);
    }
  });

  it('with few letters is read in the encoding of its language or domain', () => {
    expect(read(encode('<html lang=cs><p>Ř', 'windows-1250')).text).toBe('<html lang=cs><p>Ř');
    expect(read(encode('<p>ł', 'iso-8859-2'), 'http://a.example.pl/').text).toBe('<p>ł');
  });

  it.each(['koi8-r', 'windows-1251', 'ibm866'])('is read in %s if it declares Russian', (encoding) => {
    const page = '<html lang="ru"><title>Главная страница</title><p>Ремонт шлюзов на канале';
    expect(read(encode(page, encoding)).text).toBe(page);
  });

  it.each([
    ['UTF-16LE', 0],
    ['UTF-16BE', 1],
  ])('is read in %s without a byte-order mark', (charset, shift) => {
    const page = '<!DOCTYPE html><title>Ремонт</title><p>Ремонт шлюзов на канале</p>';
    const bytes = Buffer.from(page, 'utf16le');
    expect(read(shift === 0 ? bytes : bytes.swap16())).toEqual({ text: page, charset });
  });

  it('without text in any language is still decoded', () => {
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 251));
    expect(typeof read(noise).text).toBe('string');
  });
});
