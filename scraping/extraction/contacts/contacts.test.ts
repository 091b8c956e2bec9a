import { findContacts, toContacts } from './contacts.ts';

const PAGE = `<!doctype html><html lang="en"><head>
  <title>Contact | Acme Bakery</title>
  <meta name="description" content="Fresh bread in New York since 1950, every morning.">
  <script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"Acme Bakery"},{
    "@type":"Bakery","name":"Acme Bakery","telephone":"+1-212-555-0199","faxNumber":"212-555-0198","email":"mailto:hello@acmebakery.com",
    "logo":{"@type":"ImageObject","url":"https://acmebakery.com/logo.png"},
    "numberOfEmployees":{"@type":"QuantitativeValue","minValue":50,"maxValue":200},
    "address":{"@type":"PostalAddress","streetAddress":"1 Bread St","addressLocality":"New York","addressRegion":"NY","postalCode":"10001","addressCountry":"US"},
    "sameAs":["https://www.facebook.com/acmebakery","https://twitter.com/AcmeBakery"]}]}</script>
  </head><body><h1>Contact</h1>
  <p>Call (212) 555-0199 or write to hello@acmebakery.com.</p>
  <a href="https://www.facebook.com/sharer.php?u=x">Share</a>
  <footer>© 2024 Acme Bakery</footer></body></html>`;
const URL = 'https://acmebakery.com/contact';

it('company and contacts of a page', () => {
  expect(toContacts(findContacts({ html: PAGE, url: URL }))).toEqual({
    company: 'Acme Bakery',
    emails: ['hello@acmebakery.com'],
    phones: ['+12125550199'],
    faxes: ['+12125550198'],
    addresses: [
      {
        text: '1 Bread St, New York, NY 10001, US',
        street: '1 Bread St',
        city: 'New York',
        region: 'NY',
        postal_code: '10001',
        country: 'US',
      },
    ],
    socials: { facebook: 'https://www.facebook.com/acmebakery', x: 'https://x.com/acmebakery' },
    ...{ legal_name: null, legal_form: null, people: [], registrations: [], opening_hours: [] },
    language: 'en',
    email_kinds: { 'hello@acmebakery.com': 'role' },
    phone_kinds: { '+12125550199': 'fixed_or_mobile', '+12125550198': 'fax' },
  });
});

it('facts of a page: industry, employees, description, logo', () => {
  const found = findContacts({ html: PAGE, url: URL });
  const value = (field: string) => found.find((finding) => finding.field === field)?.value;
  expect(value('industry')).toBe('bakery');
  expect(value('employees')).toBe('50-200');
  expect(value('description')).toBe('Fresh bread in New York since 1950, every morning.');
  expect(value('logo')).toBe('https://acmebakery.com/logo.png');
});

it('every fact has evidence: a method, a snippet, a confidence', () => {
  for (const { method, snippet, confidence } of findContacts({ html: PAGE, url: URL })) {
    expect(method).toMatch(/^[a-z_]+$/);
    expect(snippet).not.toBe('');
    expect(snippet.length).toBeLessThanOrEqual(160);
    expect(confidence).toBeGreaterThan(0);
    expect(confidence).toBeLessThanOrEqual(1);
  }
});

it('a page without contacts gives none', () => {
  expect(toContacts(findContacts({ html: '<p>Lorem ipsum dolor sit amet.</p>', url: URL }))).toEqual({
    company: null,
    emails: [],
    phones: [],
    faxes: [],
    addresses: [],
    socials: {},
    ...{ legal_name: null, legal_form: null, people: [], registrations: [], opening_hours: [] },
    ...{ language: null, email_kinds: {}, phone_kinds: {} },
  });
});

it.each([
  ['broken JSON-LD', '<script type="application/ld+json">{"@type":"Organization",,</script>'],
  ['JSON-LD that is no object', '<script type="application/ld+json">[null, 1, "x", [[]]]</script>'],
  ['deep nesting', '<div>'.repeat(3000)],
  ['deeply nested microdata', '<div itemscope itemtype="x" itemprop="y">'.repeat(500)],
  ['a wall of digits', `<p>${'1 2-3.4(5)'.repeat(20_000)}</p>`],
  ['a wall of at signs', `<p>${'a@a.'.repeat(20_000)}</p>`],
  ['a wall of capitals', `<p>${'Main Street North '.repeat(5000)}12345</p>`],
  ['a wall of spaces', `<p>1${' \u00a0'.repeat(50_000)}2 at ${'. '.repeat(20_000)}dot</p>`],
])('a hostile page is read to its end: %s', (_, body) => {
  expect(toContacts(findContacts({ html: `<body>${body}<p>info@acme.com</p>`, url: URL })).phones).toEqual(
    [],
  );
});
