import { findContacts, toContacts } from '../contacts.ts';

const extractCompany = (html: string, url = 'https://www.acme-tools.com/'): string | null =>
  toContacts(findContacts({ html: `<html>${html}</html>`, url })).company;

it.each([
  ['the title after a bar', '<title>Contact Us | Acme Tools</title>', 'Acme Tools'],
  ['the title before a dash', '<title>Acme Tools - Hammers, nails and more</title>', 'Acme Tools'],
  ['Open Graph', '<title>Hammers</title><meta property="og:site_name" content="Acme Tools">', 'Acme Tools'],
  [
    'the copyright line',
    '<title>Home</title><body><footer>© 1999–2024 Acme Tools Ltd. All rights reserved.</footer>',
    'Acme Tools Ltd',
  ],
  [
    'a copyright line in German',
    '<title>Startseite</title><body><p>Copyright 2024 by Acme Tools GmbH. Alle Rechte vorbehalten',
    'Acme Tools GmbH',
  ],
  [
    'the logo',
    '<title>Home</title><body><a href="/"><img class="logo" src="l.png" alt="Acme Tools logo"></a>',
    'Acme Tools',
  ],
  [
    'words that form the domain',
    '<title>The best hammers in town</title><body><p>At Acme Tools we love hammers.</p><p>Acme Tools was founded in 1999.',
    'Acme Tools',
  ],
  [
    'JSON-LD',
    '<script type="application/ld+json">{"@graph":[{"@type":["Organization","Brand"],"name":"Acme Tools"}]}</script>',
    'Acme Tools',
  ],
  [
    'microdata',
    '<body><div itemscope itemtype="https://schema.org/HardwareStore"><h2 itemprop="name">Acme Tools</h2></div>',
    'Acme Tools',
  ],
  ['hCard', '<body><div class="vcard"><span class="fn org">Acme Tools</span></div>', 'Acme Tools'],
])('a company is named by %s', (_, html, expected) => {
  expect(extractCompany(html)).toBe(expected);
});

it('candidates that agree win over a single stronger one', () => {
  const html = `<title>Hammers for everybody | Acme Tools</title>
    <meta property="og:site_name" content="Acme Tools">
    <body><img class="logo" alt="WordPress" src="wp.png"><p>© 2024 Acme Tools</p><p>Design by Pixel Works Ltd</p>`;
  expect(extractCompany(html)).toBe('Acme Tools');
});

it('a customer who writes a review is not the company', () => {
  const html = `<script type="application/ld+json">{"@type":"LocalBusiness","name":"Acme Tools",
    "review":{"@type":"Review","author":{"@type":"Organization","name":"Happy Customer Inc"}}}</script>`;
  expect(extractCompany(html)).toBe('Acme Tools');
});

it.each([
  [
    'a page without a name',
    '<title>Contact us</title><body><h1>Contact us</h1><p>Please fill in the form.</p>',
  ],
  ['an empty page', ''],
])('%s gives no company', (_, html) => {
  expect(extractCompany(html)).toBeNull();
});
