import type { Address } from '../../../../core/leads/lead.ts';
import { findContacts, toContacts } from '../contacts.ts';

const extractAddresses = (body: string, { lang = 'en', url = 'https://www.acme.com/' } = {}): Address[] =>
  toContacts(findContacts({ html: `<html lang="${lang}"><body>${body}</body></html>`, url })).addresses;

type Parts = [
  street: string,
  city: string | null,
  region: string | null,
  code: string | null,
  country: string,
];

it.each<[string, string, string, Parts]>([
  [
    'American, in lines',
    'https://acme.com/',
    'Acme Inc.<br>123 Main Street<br>Suite 4<br>Springfield, IL 62701',
    ['123 Main Street, Suite 4', 'Springfield', 'IL', '62701', 'US'],
  ],
  [
    'American, in one line',
    'https://acme.com/',
    'Acme • 500 W Madison St • Chicago, IL 60661 • 312-555-0111',
    ['500 W Madison St', 'Chicago', 'IL', '60661', 'US'],
  ],
  [
    'American, without a comma',
    'https://acme.com/',
    '4120 Clipper Court Fremont CA 94538-6540',
    ['4120 Clipper Court', 'Fremont', 'CA', '94538-6540', 'US'],
  ],
  [
    'American, a box',
    'https://acme.com/',
    'Write to: P.O. Box 291, Anson, ME 04911',
    ['P.O. Box 291', 'Anson', 'ME', '04911', 'US'],
  ],
  [
    'British',
    'https://acme.co.uk/',
    'Acme Ltd<br>Unit 4, Riverside Business Park<br>Mill Lane<br>Leeds<br>West Yorkshire<br>LS1 4AB',
    ['Unit 4, Riverside Business Park, Mill Lane', 'Leeds', 'West Yorkshire', 'LS1 4AB', 'GB'],
  ],
  [
    'Canadian',
    'https://acme.ca/',
    '363 Supertest Rd, Toronto, Ontario M3J 2M4',
    ['363 Supertest Rd', 'Toronto', 'Ontario', 'M3J 2M4', 'CA'],
  ],
  [
    'Australian',
    'https://acme.com.au/',
    'Level 2, 845 Pacific Hwy, Chatswood NSW 2067',
    ['Level 2, 845 Pacific Hwy', 'Chatswood', 'NSW', '2067', 'AU'],
  ],
  [
    'German',
    'https://acme.de/',
    'Acme GmbH<br>Hauptstraße 12a<br>80331 München',
    ['Hauptstraße 12a', 'München', null, '80331', 'DE'],
  ],
  [
    'German, with bullets',
    'https://acme.de/',
    'Acme AG · Am Alten Markt 3 · D-50667 Köln',
    ['Am Alten Markt 3', 'Köln', null, '50667', 'DE'],
  ],
  [
    'Austrian',
    'https://acme.at/',
    'Mariahilfer Straße 45<br>1060 Wien',
    ['Mariahilfer Straße 45', 'Wien', null, '1060', 'AT'],
  ],
  [
    'Swiss',
    'https://acme.ch/',
    'Bahnhofstrasse 10, 8001 Zürich',
    ['Bahnhofstrasse 10', 'Zürich', null, '8001', 'CH'],
  ],
  [
    'French',
    'https://acme.fr/',
    'Acme SARL<br>12 bis, rue de la République<br>69002 Lyon',
    ['12 bis, rue de la République', 'Lyon', null, '69002', 'FR'],
  ],
  [
    'Italian',
    'https://acme.it/',
    'Acme S.r.l. - Via Roma 12/A - 20121 Milano',
    ['Via Roma 12/A', 'Milano', null, '20121', 'IT'],
  ],
  [
    'Spanish',
    'https://acme.es/',
    'Calle Mayor, 25, 2º B<br>28013 Madrid',
    ['Calle Mayor, 25, 2º B', 'Madrid', null, '28013', 'ES'],
  ],
  [
    'Dutch',
    'https://acme.nl/',
    'Keizersgracht 123<br>1015 CJ Amsterdam',
    ['Keizersgracht 123', 'Amsterdam', null, '1015 CJ', 'NL'],
  ],
  [
    'Swedish',
    'https://acme.se/',
    'Vegagatan 3<br>113 29 Stockholm',
    ['Vegagatan 3', 'Stockholm', null, '113 29', 'SE'],
  ],
  [
    'Polish',
    'https://acme.pl/',
    'ul. Długa 7<br>00-238 Warszawa',
    ['ul. Długa 7', 'Warszawa', null, '00-238', 'PL'],
  ],
])('an address is split into its parts: %s', (_, url, body, [street, city, region, postal_code, country]) => {
  expect(extractAddresses(`<p>${body}</p>`, { url })).toEqual([
    { text: expect.stringContaining(street), street, city, region, postal_code, country },
  ]);
});

it('an address in both JSON-LD and text is one', () => {
  const found = extractAddresses(`
    <script type="application/ld+json">{"@type":"Bakery","name":"Acme","address":{"@type":"PostalAddress","streetAddress":"1 Bread St",
      "addressLocality":"New York","addressRegion":"NY","postalCode":"10001","addressCountry":{"@type":"Country","name":"USA"}}}</script>
    <footer>1 Bread St, New York, NY 10001</footer>`);
  expect(found).toEqual([
    {
      text: '1 Bread St, New York, NY 10001, USA',
      street: '1 Bread St',
      city: 'New York',
      region: 'NY',
      postal_code: '10001',
      country: 'US',
    },
  ]);
});

it('each branch keeps its own address', () => {
  const found = extractAddresses('<p>1 Elm Rd<br>Dallas, TX 75201</p><p>2 Oak Ave<br>Austin, TX 78701</p>');
  expect(found.map(({ street, city }) => `${street}, ${city}`)).toEqual([
    '1 Elm Rd, Dallas',
    '2 Oak Ave, Austin',
  ]);
});

it.each([
  ['a town', '<p>We serve Springfield, IL 62701 and Chicago, IL.</p>'],
  ['a sentence', '<p>In 2019 we moved 120 people to Denver, Colorado and never looked back.</p>'],
  ['a list of services', '<ul><li>24 Hour Service</li><li>Plumbers in Leeds</li></ul>'],
  ['an amount', '<p>Only 99 Dollars a Day in Austin, TX</p>'],
])('%s is no address', (_, body) => {
  expect(extractAddresses(body)).toEqual([]);
});

describe('an imprint gives no address of a third party', () => {
  const own = 'Acme SARL<br>12 rue de la République<br>69002 Lyon';
  const streets = (body: string, url: string) => extractAddresses(body, { url }).map(({ street }) => street);

  it.each([
    [
      'the host under a heading',
      `<h1>Mentions légales</h1><p>${own}</p><h2>Hébergement</h2><p>OVH SAS<br>2 rue Kellermann<br>59100 Roubaix</p>`,
    ],
    ['the host after a label', `<p>${own}</p><p>Hébergeur : OVH SAS, 2 rue Kellermann, 59100 Roubaix</p>`],
    [
      'the host in a sentence',
      `<p>${own}</p><p>Ce site est hébergé par OVH SAS, 2 rue Kellermann, 59100 Roubaix.</p>`,
    ],
    [
      'the host first',
      `<h1>Mentions légales</h1><p>Hébergeur :<br>OVH SAS<br>2 rue Kellermann<br>59100 Roubaix</p><p>Éditeur du site :<br>${own}</p>`,
    ],
    [
      'the web agency',
      `<p>${own}</p><p>Réalisation du site : Studio Web, 2 rue Kellermann, 59100 Roubaix</p>`,
    ],
  ])('%s', (_, body) => {
    expect(streets(body, 'https://acme.fr/')).toEqual(['12 rue de la République']);
  });

  it('a dispute settlement body', () => {
    const body = `<h1>Impressum</h1><p>Acme GmbH<br>Hauptstraße 12a<br>80331 München</p>
      <h3>Verbraucherschlichtungsstelle</h3><p>Straßburger Straße 8<br>77694 Kehl</p>`;
    expect(streets(body, 'https://acme.de/')).toEqual(['Hauptstraße 12a']);
  });

  it('but a hosting company keeps its own address', () => {
    const body = `<ul><li>Web Design</li><li>Hosting</li></ul><footer>Acme Hosting<br>1 Elm Rd<br>Dallas, TX 75201</footer>`;
    expect(streets(body, 'https://acme.com/')).toEqual(['1 Elm Rd']);
  });
});

const WORLD: [string, string, string, Parts][] = [
  [
    'en',
    'https://acme.com/',
    '<footer>© 2026 Acme Tools LLC. 4402 Burnet Rd Ste 110, Austin, TX 78756 | (512) 555-0199</footer>',
    ['4402 Burnet Rd Ste 110', 'Austin', 'TX', '78756', 'US'],
  ],
  [
    'en',
    'https://acme.com/',
    '<footer>© 2026 Acme. All rights reserved. 4402 Burnet Rd, Suite 110, Austin, TX 78756</footer>',
    ['4402 Burnet Rd, Suite 110', 'Austin', 'TX', '78756', 'US'],
  ],
  [
    'en',
    'https://acme.com/',
    '© 2026 Acme, Inc., 350 5th Ave Fl 21, New York, NY 10118',
    ['350 5th Ave Fl 21', 'New York', 'NY', '10118', 'US'],
  ],
  [
    'en',
    'https://acme.com/',
    '© 2026 Acme 4402 Burnet Rd Ste 110 Austin TX 78756',
    ['4402 Burnet Rd Ste 110', 'Austin', 'TX', '78756', 'US'],
  ],
  [
    'ja',
    'https://acme.jp/',
    '〒150-0002 東京都渋谷区渋谷2丁目21-1 渋谷ヒカリエ 11F',
    ['渋谷2丁目21-1', '渋谷区', '東京都', '150-0002', 'JP'],
  ],
  [
    'ja',
    'https://acme.jp/',
    '住所：〒530-0001 大阪府大阪市北区梅田１－１－３',
    ['梅田1-1-3', '大阪市北区', '大阪府', '530-0001', 'JP'],
  ],
  [
    'ja',
    'https://acme.jp/',
    '〒604-8006<br>京都府京都市中京区下丸屋町403番地',
    ['下丸屋町403番地', '京都市中京区', '京都府', '604-8006', 'JP'],
  ],
  [
    'ko',
    'https://acme.kr/',
    '서울특별시 강남구 테헤란로 152 (역삼동) 06236',
    ['강남구 테헤란로 152', '서울특별시', null, '06236', 'KR'],
  ],
  [
    'ko',
    'https://acme.kr/',
    '경기도 성남시 분당구 판교역로 235',
    ['분당구 판교역로 235', '성남시', '경기도', null, 'KR'],
  ],
  [
    'zh',
    'https://acme.cn/',
    '北京市海淀区中关村大街27号1001室 邮编：100080',
    ['海淀区中关村大街27号1001室', '北京市', null, '100080', 'CN'],
  ],
  [
    'zh',
    'https://acme.cn/',
    '地址：广东省深圳市南山区深南大道9996号',
    ['南山区深南大道9996号', '深圳市', '广东省', null, 'CN'],
  ],
  [
    'pt-BR',
    'https://acme.com.br/',
    'Rua das Flores, 123 - Centro, Curitiba - PR, 80020-090',
    ['Rua das Flores, 123', 'Curitiba', 'PR', '80020-090', 'BR'],
  ],
  [
    'pt-BR',
    'https://acme.com.br/',
    'Av. Paulista, 1578 - Bela Vista<br>São Paulo - SP<br>CEP 01310-200',
    ['Av. Paulista, 1578', 'São Paulo', 'SP', '01310-200', 'BR'],
  ],
  [
    'tr',
    'https://acme.com.tr/',
    'Atatürk Mah. Cumhuriyet Cad. No: 15/3, 34710 Kadıköy/İstanbul',
    ['Atatürk Mah. Cumhuriyet Cad. No: 15/3', 'Kadıköy', 'İstanbul', '34710', 'TR'],
  ],
  [
    'ru',
    'https://acme.ru/',
    '123456, г. Москва, ул. Тверская, д. 12, стр. 2, офис 5',
    ['ул. Тверская, д. 12, стр. 2, офис 5', 'Москва', null, '123456', 'RU'],
  ],
  [
    'ru',
    'https://acme.ru/',
    '620014, Свердловская область, г. Екатеринбург, ул. Малышева, 51',
    ['ул. Малышева, 51', 'Екатеринбург', 'Свердловская область', '620014', 'RU'],
  ],
  [
    'cs',
    'https://acme.cz/',
    'Vinohradská 1511/230, 100 00 Praha 10',
    ['Vinohradská 1511/230', 'Praha 10', null, '100 00', 'CZ'],
  ],
  ['cs', 'https://acme.cz/', 'Lhota 45, 547 01 Náchod', ['Lhota 45', 'Náchod', null, '547 01', 'CZ']],
  [
    'pl',
    'https://acme.pl/',
    'Rynek Główny 12, 31-042 Kraków',
    ['Rynek Główny 12', 'Kraków', null, '31-042', 'PL'],
  ],
  [
    'pl',
    'https://acme.pl/',
    'ul. Długa 7/9 lok. 5, 00-238 Warszawa',
    ['ul. Długa 7/9 lok. 5', 'Warszawa', null, '00-238', 'PL'],
  ],
  [
    'fr',
    'https://acme.fr/',
    '45 avenue du Général de Gaulle<br>33700 Mérignac Cedex',
    ['45 avenue du Général de Gaulle', 'Mérignac', null, '33700', 'FR'],
  ],
  [
    'it',
    'https://acme.it/',
    'Via Giuseppe Garibaldi, 12/A - 20121 Milano (MI)',
    ['Via Giuseppe Garibaldi, 12/A', 'Milano', 'MI', '20121', 'IT'],
  ],
  [
    'it',
    'https://acme.it/',
    'Piazza del Popolo 3, 00187 Roma RM, Italia',
    ['Piazza del Popolo 3', 'Roma', 'RM', '00187', 'IT'],
  ],
  [
    'nl',
    'https://acme.nl/',
    '’s-Gravelandseweg 5, 1217 EH Hilversum',
    ['’s-Gravelandseweg 5', 'Hilversum', null, '1217 EH', 'NL'],
  ],
  [
    'fr',
    'https://acme.ch/',
    'Rue du Rhône 14, 1204 Genève',
    ['Rue du Rhône 14', 'Genève', null, '1204', 'CH'],
  ],
];

it.each(WORLD)(
  'an address of the world (%s, %s): %s',
  (lang, url, body, [street, city, region, code, country]) => {
    expect(extractAddresses(`<p>${body}</p>`, { lang, url })).toEqual([
      { text: expect.any(String), street, city, region, postal_code: code, country },
    ]);
  },
);

it.each([
  ['ja', 'https://acme.jp/', '東京都港区赤坂の魅力をご紹介します。'],
  ['ko', 'https://acme.kr/', '서울 강남구에서 제일 좋은 곳 10곳'],
  ['zh', 'https://acme.cn/', '北京市的公司有100家'],
  ['ru', 'https://acme.ru/', 'Москва, 12 лет на рынке'],
  ['es', 'https://acme.es/', 'Polígono Industrial El Prado, parcela 7, 06800 Mérida'],
])('text or half an address is none (%s, %s): %s', (lang, url, text) => {
  expect(extractAddresses(`<p>${text}</p>`, { lang, url })).toEqual([]);
});
