import { findContacts, toContacts } from '../contacts.ts';

const extractNumbers = (
  body: string,
  { lang = 'en', url = 'https://www.acme.com/', country = undefined as string | undefined } = {},
) => {
  const { phones, faxes } = toContacts(
    findContacts({
      html: `<html lang="${lang}"><body>${body}</body></html>`,
      url,
      ...(country ? { country } : {}),
    }),
  );
  return { phones, faxes };
};

describe('the country of a number', () => {
  it.each([
    ['its calling code', '<p>Tel. +46 771 105 000</p>', {}, '+46771105000'],
    ['the top-level domain', '<p>Tel.: 089 / 12 34 56-0</p>', { url: 'https://acme.de/' }, '+49891234560'],
    ['the language', '<p>Tél. : 04 78 12 34 56</p>', { lang: 'fr-FR' }, '+33478123456'],
    ['an address', '<p>4 Mill Lane<br>Leeds<br>LS1 4AB</p><p>T: 0113 496 0123</p>', {}, '+441134960123'],
    ['a country named above it', '<p>Eastern Plaza<br>Kuwait<br>Tel: 965 2222 3333</p>', {}, '+96522223333'],
    ['a hint', '<p>Tel: 020 7946 0123</p>', { country: 'GB' }, '+442079460123'],
    ['the default, US', '<p>Call (212) 555-0199</p>', {}, '+12125550199'],
  ])('is determined by %s', (_, body, options, expected) => {
    expect(extractNumbers(body, options).phones).toEqual([expected]);
  });
});

describe('a fax', () => {
  const expected = { phones: ['+12175550123'], faxes: ['+12175550124'] };
  it.each([
    ['a label before it', '<p>Phone: (217) 555-0123 Fax: (217) 555-0124</p>'],
    ['a label after it', '<p>217.555.0123</p><p>217.555.0124 fax</p>'],
    ['a label in brackets', '<p>217.555.0123 (Local) 217.555.0124 (Fax)</p>'],
    ['a bracket before it', '<p>(P) 217-555-0123 (F) 217-555-0124</p>'],
    ['an abbreviation', '<p>Ph: 217-555-0123 Fx: 217-555-0124</p>'],
    ['a label with its line', '<p>Phone 217-555-0123</p><p>Fax Direct 217-555-0124</p>'],
    [
      'the head of its column',
      '<table><tr><th>Phone</th><th>Fax</th></tr><tr><td>217-555-0123</td><td>217-555-0124</td></tr></table>',
    ],
    ['a letter', '<p>T 217 555 0123<br>F 217 555 0124</p>'.replaceAll(/([TF]) /g, '$1: ')],
    ['the line above', '<p>Telephone<br>217-555-0123<br>Facsimile<br>217-555-0124</p>'],
    [
      'the cell beside it',
      '<table><tr><td>Phone</td><td>217-555-0123</td></tr><tr><td>Fax</td><td>217-555-0124</td></tr></table>',
    ],
    [
      'an image',
      '<p><img src="p.gif" alt="phone"> 217-555-0123<br><img src="f.gif" alt="fax"> 217-555-0124</p>',
    ],
    [
      'a class',
      '<p><i class="icon-phone"></i> 217-555-0123</p><p><i class="fa fa-fax"></i> 217-555-0124</p>',
    ],
    [
      'the label of another mention',
      '<p>217-555-0123<br>217-555-0124</p><p>Tel 217-555-0123, Fax 217-555-0124</p>',
    ],
    [
      'a link that only dials',
      '<p>Tel: <a href="tel:+12175550123">217-555-0123</a><br>Fax: <a href="tel:+12175550124">217-555-0124</a></p>',
    ],
    [
      'JSON-LD',
      '<script type="application/ld+json">{"@type":"LocalBusiness","telephone":"217-555-0123","faxNumber":"217-555-0124"}</script><p>217-555-0124</p>',
    ],
  ])('is determined by %s', (_, body) => {
    expect(extractNumbers(body)).toEqual(expected);
  });

  it.each([
    [
      'de',
      'https://acme.de/',
      'Telefon: 089 123456-0<br>Telefax: 089 123456-99',
      '+49891234560',
      '+498912345699',
    ],
    [
      'fr',
      'https://acme.fr/',
      'Téléphone : 04 78 12 34 56<br>Télécopie : 04 78 12 34 57',
      '+33478123456',
      '+33478123457',
    ],
    ['pl', 'https://acme.pl/', 'tel. 22 123 45 67, faks 22 123 45 68', '+48221234567', '+48221234568'],
    [
      'ru',
      'https://acme.ru/',
      'Тел.: (495) 123-45-67<br>Факс: (495) 123-45-68',
      '+74951234567',
      '+74951234568',
    ],
  ])('is labelled in the language of the page (%s)', (lang, url, text, phone, fax) => {
    expect(extractNumbers(`<p>${text}</p>`, { lang, url })).toEqual({ phones: [phone], faxes: [fax] });
  });

  it.each([
    ['a slash', '<p>Tel/Fax: 217-555-0123</p>'],
    ['a word', '<p>Phone and Fax: 217-555-0123</p>'],
    ['abbreviations', '<p>Tel. e Fax 217-555-0123</p>'],
    ['a dash', '<p>Tel.-Fax: 217-555-0123</p>'],
    ['nothing but a full stop', '<p>Tel. Fax 217-555-0123</p>'],
    ['the line above', '<p>Tel. und Fax</p><p>217-555-0123</p>'],
  ])('is a phone too if the page labels it as both, joined by %s', (_, body) => {
    expect(extractNumbers(body)).toEqual({ phones: ['+12175550123'], faxes: ['+12175550123'] });
  });

  it('is the number behind “or” too, and not the one before its comma', () => {
    expect(extractNumbers('<p>Fax 217-555-0124 or 217-555-0126</p>')).toEqual({
      ...{ phones: [], faxes: ['+12175550124', '+12175550126'] },
    });
    expect(extractNumbers('<p>Tel 217-555-0123, 217-555-0125, Fax 217-555-0124</p>')).toEqual({
      ...{ phones: ['+12175550123', '+12175550125'], faxes: ['+12175550124'] },
    });
  });

  it('is no phone if the phone label before it has no number', () => {
    expect(extractNumbers('<p>Tel: – Fax: 217-555-0123</p>')).toEqual({
      phones: [],
      faxes: ['+12175550123'],
    });
  });
});

it.each([
  ['a date and a time', 'Posted 2024-01-15 10:30, until 15.01.2025'],
  ['an order number', 'Order #2125550199'],
  ['an ISBN', 'ISBN 978-3-16-148410-0'],
  ['money', 'Revenue 1.299.000.000 or $2125550199'],
  ['an IP address', '192.168.100.200'],
  ['a card number', '4111 1111 1111 1111'],
  ['coordinates', '40.712776, -74.005974'],
  ['a pager', 'Prev 1 2 3 4 5 6 7 8 9 10 Next'],
  ['a registration number', 'Company registration number 02079460123'],
  ['bare digits', 'Ticket 2125550199 is closed'],
  ['a placeholder', 'Phone: 123-456-7890 or 000-000-0000'],
  ['a span of days', '05.10-09.10.2015'],
  ['a span of dates', '01.01.2024 - 31.12.2024'],
  ['a span of dates with slashes', '05/10 - 09/10/2015'],
  ['years', '2019/2020 2021/2022'],
  ['opening hours', 'Mon-Fri 08.00-12.00 13.00-17.30'],
  ['opening hours without points', 'Mon-Fri 0800 - 1730'],
  ['a VAT number', 'USt-IdNr.: DE 136 695 976'],
  ['a VAT number below its label', '<b>VAT no.</b><br>136 695 976'],
  ['a German tax number', 'Steuernummer: 212/345/67890'],
  ['a French register number', 'RCS Paris B 303 265 045'],
  ['an Italian tax number', 'P. IVA 01234567890'],
  ['a Polish tax number', 'NIP 526-10-40-828'],
  ['a Brazilian register number', 'CNPJ 11.222.333/0001-81'],
  ['a Russian tax number', 'ИНН 7707083893 КПП 770701001'],
  ['a Korean register number', '사업자등록번호 120-81-47521'],
  ['an IBAN', 'IBAN: DE89 3704 0044 0532 0130 00'],
  ['a bank account', 'BIC COBADEFFXXX, account 532 0130 00, sort code 37-04-00'],
  ['money in francs and crowns', '12 500 000 Kč, CHF 1 299 000'],
  ['coordinates without a comma', '52.520008 13.404954'],
  ['a sample', 'Phone (e.g. 212 555 0199)'],
])('%s is no phone', (_, text) => {
  expect(extractNumbers(`<p>${text}</p>`)).toEqual({ phones: [], faxes: [] });
});

it.each([
  ['full-width digits', 'ja', '電話：０３－３２１２－１２３４', '+81332121234'],
  ['Arabic digits', 'ar', 'هاتف: ٠٤ ٣٣١ ٢٣٤٥', '+97143312345'],
  ['a soft hyphen', 'en', 'Tel. 04 331&shy; 2345', '+97143312345'],
  ['a label with a number sign', 'en', 'Tel. No. 04 331 2345', '+97143312345'],
])('a number is read: %s', (_, lang, text, expected) => {
  const url = lang === 'ja' ? 'https://acme.jp/' : 'https://acme.ae/';
  expect(extractNumbers(`<p>${text}</p>`, { lang, url }).phones).toEqual([expected]);
});

it.each([
  ['030 2312510012345', 'DE', []],
  ['212-555-01999', 'US', []],
  ['020 7946 01234', 'GB', []],
  ['0301 2345 67890', 'DE', []],
  ['030 23125100', 'DE', ['+493023125100']],
  ['+1 212 555 0199', 'DE', ['+12125550199']],
])('JSON-LD’s number %s of an address in %s is no other country’s', (telephone, country, expected) => {
  const entity = {
    '@type': 'LocalBusiness',
    telephone,
    address: { '@type': 'PostalAddress', streetAddress: 'X 1', addressCountry: country },
  };
  const body = `<script type="application/ld+json">${JSON.stringify(entity)}</script>`;
  expect(extractNumbers(body).phones).toEqual(expected);
});

it('letters are dialled as digits', () => {
  expect(extractNumbers('<p>Call 1-800-FLOWERS today</p>').phones).toEqual(['+18003569377']);
});

it('chat links are phones', () => {
  expect(extractNumbers('<a href="https://wa.me/5511987654321?text=oi">Chat</a>').phones).toEqual([
    '+5511987654321',
  ]);
});

it('text without a space before a number does not hide it', () => {
  expect(extractNumbers('<p><b>Acme</b><span>217-555-0123</span><a href="/x">Mail</a></p>').phones).toEqual([
    '+12175550123',
  ]);
});
