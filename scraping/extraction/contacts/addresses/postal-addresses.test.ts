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
