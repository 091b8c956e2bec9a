import { findContacts, toContacts } from '../contacts.ts';

const read = (body: string, lang = 'de', url = 'https://acme.de/') =>
  toContacts(findContacts({ html: `<html lang="${lang}"><body>${body}</body></html>`, url }));
const roles = (body: string, lang?: string) =>
  read(body, lang).people.map(({ name, role }) => `${name}: ${role}`);

it.each<[string, string, string[]]>([
  [
    'de',
    '<p>Geschäftsführer: Hans von Stein, Dr. Uwe Krüger</p>',
    ['Hans von Stein: Geschäftsführer', 'Dr. Uwe Krüger: Geschäftsführer'],
  ],
  [
    'de',
    '<p>Vertreten durch:<br>Max Muster und Eva Beispiel-Schmidt</p>',
    ['Max Muster: Vertreten durch', 'Eva Beispiel-Schmidt: Vertreten durch'],
  ],
  ['de', '<p>Vertreten durch den Geschäftsführer Max Muster</p>', ['Max Muster: Geschäftsführer']],
  ['de', '<p>Inhaberin<br>Ursula Meier</p>', ['Ursula Meier: Inhaberin']],
  ['en', '<h3>John Smith</h3><p>CEO &amp; Founder</p>', ['John Smith: CEO & Founder']],
  ['en', '<p>Mary Jones, Managing Director</p>', ['Mary Jones: Managing Director']],
  [
    'fr',
    '<p>Directeur de la publication : Mme Marie Curie</p>',
    ['Mme Marie Curie: Directeur de la publication'],
  ],
  ['it', '<p>Amministratore unico: Mario Bianchi</p>', ['Mario Bianchi: Amministratore unico']],
  ['es', '<p>Gerente: Juan García López</p>', ['Juan García López: Gerente']],
  ['pt', '<p>Sócio-gerente: João da Silva</p>', ['João da Silva: Sócio-gerente']],
  ['nl', '<p>Eigenaar: Jan de Vries</p>', ['Jan de Vries: Eigenaar']],
  ['pl', '<p>Prezes zarządu: Jan Kowalski</p>', ['Jan Kowalski: Prezes zarządu']],
  ['cs', '<p>Jednatel: Ing. Petr Novák</p>', ['Ing. Petr Novák: Jednatel']],
  [
    'ru',
    '<p>Генеральный директор: Иванов Пётр Сергеевич</p>',
    ['Иванов Пётр Сергеевич: Генеральный директор'],
  ],
  ['ja', '<table><tr><th>代表者</th><td>代表取締役 山田 太郎</td></tr></table>', ['山田 太郎: 代表取締役']],
  ['ko', '<p>상호: 아크메 | 대표이사: 홍길동</p>', ['홍길동: 대표이사']],
])('people with their roles (%s): %s', (lang, body, expected) => {
  expect(roles(body, lang)).toEqual(expected);
});

it('people of structured data, but not authors of articles', () => {
  const graph = [
    {
      '@type': 'Store',
      founder: { '@type': 'Person', name: 'Eva Gründer' },
      employee: [{ '@type': 'Person', name: 'Tom Test', jobTitle: 'CTO', email: 'tom@acme.de' }],
    },
    { '@type': 'Article', author: { '@type': 'Person', name: 'Otto Autor', jobTitle: 'Editor' } },
  ];
  expect(read(`<script type="application/ld+json">${JSON.stringify(graph)}</script>`).people).toEqual([
    { name: 'Eva Gründer', role: 'founder', email: null, phone: null },
    { name: 'Tom Test', role: 'CTO', email: 'tom@acme.de', phone: null },
  ]);
});

it('the address with a person’s surname is theirs', () => {
  const { people } = read('<p>Jane Smith, Managing Director</p><p>info@acme.de, j.smith@acme.de</p>');
  expect(people).toEqual([
    { name: 'Jane Smith', role: 'Managing Director', email: 'j.smith@acme.de', phone: null },
  ]);
});

it.each([
  'Meet the director of this film.',
  'CEO Magazine ranks us among the best',
  'Partner: Deutsche Bank AG',
  'Director<br>Learn More',
  'Geschäftsführer: Acme Verwaltungs GmbH',
  'Inhaber: siehe Impressum',
  'Our managing director will call you',
])('nobody is made up: %s', (text) => {
  expect(roles(`<p>${text}</p>`)).toEqual([]);
});

const numbers = (body: string, lang: string, url: string) =>
  read(body, lang, url).registrations.map(({ kind, country, number }) => `${kind} ${country} ${number}`);

it.each<[string, string, string, string[]]>([
  ['de', 'https://a.de/', 'USt-IdNr.: DE 136 695 976', ['vat DE DE 136 695 976']],
  [
    'de',
    'https://a.de/',
    'Umsatzsteuer-Identifikationsnummer gemäß §27 a Umsatzsteuergesetz:<br>DE136695976',
    ['vat DE DE136695976'],
  ],
  ['de', 'https://a.de/', 'Steuernummer: 12/345/67890', ['tax DE 12/345/67890']],
  ['de', 'https://a.at/', 'UID: ATU13585627, FN 123456a', ['vat AT ATU13585627', 'register AT 123456a']],
  ['de', 'https://a.ch/', 'CHE-107.787.577 MWST', ['register CH CHE-107.787.577 MWST']],
  [
    'fr',
    'https://a.fr/',
    'SIRET : 303 265 045 00015, TVA intracommunautaire : FR40303265045',
    ['vat FR FR40303265045'],
  ],
  ['fr', 'https://a.fr/', 'RCS Paris B 303 265 045', ['register FR 303 265 045']],
  [
    'en',
    'https://a.co.uk/',
    'Registered in England and Wales No. 01234567. VAT No. GB 220 4302 31',
    ['vat GB GB 220 4302 31', 'register GB 01234567'],
  ],
  [
    'it',
    'https://a.it/',
    'P. IVA 00743110157 - REA MI-1234567',
    ['vat IT 00743110157', 'register IT MI-1234567'],
  ],
  ['es', 'https://a.es/', 'CIF: B58378431', ['vat ES B58378431']],
  [
    'nl',
    'https://a.nl/',
    'KvK: 12345678, BTW: NL004495445B01',
    ['register NL 12345678', 'vat NL NL004495445B01'],
  ],
  ['cs', 'https://a.cz/', 'IČO: 27082440, DIČ: CZ27082440', ['vat CZ CZ27082440', 'register CZ 27082440']],
  ['pt', 'https://a.com.br/', 'CNPJ: 11.222.333/0001-81', ['register BR 11.222.333/0001-81']],
  ['ru', 'https://a.ru/', 'ИНН 7707083893', ['tax RU 7707083893']],
  ['tr', 'https://a.com.tr/', 'Vergi No: 4540536920', ['tax TR 4540536920']],
  ['ja', 'https://a.jp/', '法人番号 5835678256246', ['register JP 5835678256246']],
  ['ko', 'https://a.kr/', '사업자등록번호: 116-82-00276', ['register KR 116-82-00276']],
  ['zh', 'https://a.cn/', '统一社会信用代码：91110000600037341L', ['register CN 91110000600037341L']],
])('numbers of an authority (%s, %s): %s', (lang, url, text, expected) => {
  expect(numbers(`<p>${text}</p>`, lang, url).sort()).toEqual([...expected].sort());
});

it.each([
  ['de', 'https://a.de/', 'USt-IdNr.: DE136695977'],
  ['fr', 'https://a.fr/', 'TVA : FR41303265045'],
  ['it', 'https://a.it/', 'P. IVA 00743110158'],
  ['pt', 'https://a.com.br/', 'CNPJ: 11.222.333/0001-82'],
  ['de', 'https://a.de/', 'Artikel DE136695976'],
])('a number with wrong check digits or without a label is none (%s, %s): %s', (lang, url, text) => {
  expect(numbers(`<p>${text}</p>`, lang, url)).toEqual([]);
});

it('a register entry names its court', () => {
  const { registrations } = read('<p>Amtsgericht Charlottenburg, HRB 12345 B</p>');
  expect(registrations).toEqual([
    { kind: 'register', number: 'HRB 12345 B', country: 'DE', authority: 'Charlottenburg' },
  ]);
});

it.each<[string, string, string | null, string | null]>([
  [
    'de',
    '<h1>Impressum</h1><p>Acme Werkzeuge GmbH &amp; Co. KG<br>Hauptstr. 5</p>',
    'Acme Werkzeuge GmbH & Co. KG',
    'GmbH & Co. KG',
  ],
  [
    'de',
    '<h1>Impressum</h1><p>Acme UG (haftungsbeschränkt)<br>Hauptstr. 5</p>',
    'Acme UG (haftungsbeschränkt)',
    'UG (haftungsbeschränkt)',
  ],
  ['fr', '<p>Éditeur : ACME SARL au capital de 10 000 €</p>', 'ACME SARL', 'SARL'],
  ['en', '<footer>© 2024 Acme Tools Ltd. All rights reserved.</footer>', 'Acme Tools Ltd.', 'Ltd.'],
  ['pl', '<p>Acme Narzędzia sp. z o.o.<br>NIP: 526-104-08-28</p>', 'Acme Narzędzia sp. z o.o.', 'sp. z o.o.'],
  ['ru', '<p>ООО «Акме Инструмент»<br>ИНН 7707083893</p>', 'ООО «Акме Инструмент»', 'ООО'],
  ['ja', '<table><tr><th>会社名</th><td>株式会社アクメ</td></tr></table>', '株式会社アクメ', '株式会社'],
  ['en', '<p>We worked with Big Customer Inc, Other Firm LLC and Third Party Ltd.</p>', null, null],
])('the legal name (%s): %s', (lang, body, name, form) => {
  const { legal_name, legal_form } = read(body, lang);
  expect([legal_name, legal_form]).toEqual([name, form]);
});

it.each<[string, string, string[]]>([
  [
    'de',
    'Mo-Fr 8:00 - 18:00 Uhr<br>Samstag 9-13 Uhr<br>Sonntag geschlossen',
    ['Mo-Fr 08:00-18:00', 'Sa 09:00-13:00', 'Su off'],
  ],
  [
    'en',
    'Mon - Fri: 9am - 5:30pm, Sat 10am-2pm, Sunday closed',
    ['Mo-Fr 09:00-17:30', 'Sa 10:00-14:00', 'Su off'],
  ],
  ['fr', 'Du lundi au vendredi : 9h00 - 12h30 / 14h00 - 18h30', ['Mo-Fr 09:00-12:30,14:00-18:30']],
  ['es', 'Lunes a viernes de 9:00 a 14:00 y 16:00 a 20:00', ['Mo-Fr 09:00-14:00,16:00-20:00']],
  ['nl', 'maandag t/m vrijdag 08:00 - 17:00', ['Mo-Fr 08:00-17:00']],
  ['pt', 'Segunda a sexta das 8h às 18h', ['Mo-Fr 08:00-18:00']],
  ['tr', 'Pazartesi - Cuma 09:00 - 18:00', ['Mo-Fr 09:00-18:00']],
  ['ja', '営業時間：月～金 9:00～18:00', ['Mo-Fr 09:00-18:00']],
  ['en', 'Mo 3-5 items', []],
])('opening hours (%s): %s', (lang, text, expected) => {
  expect(read(`<p>${text}</p>`, lang).opening_hours).toEqual(expected);
});

it('opening hours of JSON-LD are preferred', () => {
  const store = {
    '@type': 'Store',
    openingHoursSpecification: [
      { dayOfWeek: ['Monday', 'Tuesday', 'Wednesday'], opens: '09:00', closes: '18:00' },
      { dayOfWeek: 'https://schema.org/Saturday', opens: '10:00:00', closes: '14:00:00' },
    ],
  };
  const body = `<script type="application/ld+json">${JSON.stringify(store)}</script><p>Mo-Fr 8-20</p>`;
  expect(read(body).opening_hours).toEqual(['Mo-We 09:00-18:00', 'Sa 10:00-14:00']);
});

it('kinds of mail and phone', () => {
  const { email_kinds, phone_kinds } = read(
    '<p>Inhaber: Eva Stein</p><p>info@acme.de, eva@acme.de, max.muster@acme.de, xyz@acme.de</p><p>Tel. 030 23125100, mobil 0171 1234567, Fax 030 23125101, gratis: Tel. 0800 1234567</p>',
  );
  expect(email_kinds).toEqual({
    'info@acme.de': 'role',
    'eva@acme.de': 'person',
    'max.muster@acme.de': 'person',
    'xyz@acme.de': 'unknown',
  });
  expect(phone_kinds).toEqual({
    '+493023125100': 'fixed',
    '+491711234567': 'mobile',
    '+493023125101': 'fax',
    '+498001234567': 'toll_free',
  });
});
