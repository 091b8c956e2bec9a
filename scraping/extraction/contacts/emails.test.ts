import { findContacts } from './contacts.ts';
import { decodeCloudflare } from './email-deobfuscation.ts';

const extractEmails = (body: string, url = 'https://www.acme.com/contact') =>
  findContacts({ html: `<html><body><p>${body}</p></body></html>`, url })
    .filter(({ field }) => field === 'email')
    .map(({ value }) => value);

/** Encodes an address in Cloudflare's scheme. */
const cloudflare = (address: string, key = 0x5a) =>
  Buffer.from([key, ...Buffer.from(address).map((byte) => byte ^ key)]).toString('hex');

describe('addresses behind Cloudflare', () => {
  it('are decoded in an attribute, a link, a script', () => {
    const code = (name: string) => cloudflare(`${name}@acme.com`, name.length + 0x20);
    const found = extractEmails(`
      <a href="/cdn-cgi/l/email-protection" class="__cf_email__" data-cfemail="${code('sales')}">[email&#160;protected]</a>
      <a href="/cdn-cgi/l/email-protection#${code('press')}">Press</a>
      <script>draw('<span data-cfemail=\\"${code('jobs')}\\">')</script>`);
    expect(new Set(found)).toEqual(new Set(['sales@acme.com', 'press@acme.com', 'jobs@acme.com']));
  });

  it('lose their subject', () => {
    expect(
      extractEmails(
        `<a href="/cdn-cgi/l/email-protection#${cloudflare('a.b@acme.co.uk?subject=Hello%20you')}">x</a>`,
      ),
    ).toEqual(['a.b@acme.co.uk']);
  });

  it.each(['', 'zz', '5a', 'not hex at all', '5a3b'])('an invalid code gives null: %p', (code) => {
    expect(decodeCloudflare(code)).toBeNull();
  });
});

it.each([
  ['entities', '&#105;nfo&#64;acme&#46;com'],
  ['brackets', 'info [at] acme [dot] com'],
  ['round brackets', 'info (at) acme.com'],
  ['braces', 'info{at}acme{dot}com'],
  ['words', 'write to info at acme dot com please'],
  ['German', 'info (ät) acme punkt com'],
  ['Spanish', 'info arroba acme punto com'],
  ['spaces', 'info @ acme.com'],
  ['a full-width @', 'info＠acme.com'],
  ['full-width letters', 'ｉｎｆｏ＠ａｃｍｅ．ｃｏｍ'],
  ['a soft hyphen', 'info@ac&shy;me.com'],
  ['a zero-width space', 'in&#8203;fo@acme.com'],
  ['a zero-width joiner', 'info@acme&#8205;.com'],
  ['a zero-width non-joiner', 'info&#8204;@acme.com'],
  ['a word joiner', 'info&#8288;@acme.com'],
  ['a byte order mark', 'info@acme.com&#65279;'],
  ['directional marks', '&#8207;info@acme.com&#8206;'],
  [
    'an invisible character in a link',
    '<a href="mailto:in%C2%ADfo@acme.com%E2%80%8B">info@&#8203;acme.com</a>',
  ],
  [
    'an invisible character in JSON-LD',
    '<script type="application/ld+json">{"@type":"Organization","email":"info\\u200b@acme.com"}</script>',
  ],
  ['a comment in the middle', 'info<!-- no -->@acme<b>.com</b>'],
  ['a hidden word in the middle', 'info<span style="display:none">remove</span>@acme.com'],
  ['an image of the @', 'info<img src="at.gif" alt="@">acme.com'],
  ['reversed text', '<span style="unicode-bidi:bidi-override; direction:rtl">moc.emca@ofni</span>'],
  ['an attribute', '<a href="#" data-email="info@acme.com">Mail</a>'],
  ['a reversed attribute', '<a href="#" data-mail="moc.emca@ofni">Mail</a>'],
  ['an attribute in base64', '<a href="#" data-mail="aW5mb0BhY21lLmNvbQ==">Mail</a>'],
  ['two attributes', '<span data-user="info" data-domain="acme.com"></span>'],
  ['TYPO3', `<a href="javascript:linkTo_UnCryptMailto('nbjmup+jogpAbdnf/dpn');">Mail</a>`],
  [
    'Joomla',
    `<script>var addy1 = '&#105;nf&#111;' + '&#64;';\n addy1 = addy1 + '&#97;cme' + '&#46;' + 'c&#111;m';</script>`,
  ],
  ['a link', '<a href="mailto:Info%40acme.com?subject=Hi">Mail</a>'],
  ['a link with a spelled address', '<a href="mailto:info[at]acme.com">Mail</a>'],
  ['a link with a name', '<a href="mailto:Acme%20%3Cinfo@acme.com%3E">Mail</a>'],
  ['the end of a sentence', 'Mail us: INFO@ACME.COM.'],
  ['no space after it', 'E-mail:info@acme.comPhone: on request'],
])('an address written with %s is read', (_, body) => {
  expect(new Set(extractEmails(body))).toEqual(new Set(['info@acme.com']));
});

it('a link to several addresses gives all of them', () => {
  expect(extractEmails('<a href="mailto:a@acme.com,b@acme.com">Both</a>')).toEqual([
    'a@acme.com',
    'b@acme.com',
  ]);
});

it.each([
  ['an image', '<img src="logo@2x.png"> logo@2x.png'],
  ['a version', 'jquery@3.6.0 and @types/node@20.1.0'],
  ['an example', 'you@example.com, your.name@yourcompany.com, name@email.com'],
  ['a profile', 'https://medium.com/@acme and @acme.com'],
  ['a sentence', 'Meet us at acme.com or stay-at-home.com; item (a) Acme.com'],
  ['a sentence in French', 'Rendez-vous chez Marie point de départ'],
  ['a machine', 'root@localhost git@github.com:acme/site.git'],
  ['a key', '0123456789abcdef0123456789abcdef@o12.ingest.sentry.io'],
])('%s is no e-mail address', (_, body) => {
  expect(extractEmails(body)).toEqual([]);
});

it("an address at the page's own domain is no placeholder", () => {
  expect(extractEmails('sales@example.com', 'https://www.example.com/')).toEqual(['sales@example.com']);
  expect(extractEmails('sales@example.com', 'https://www.acme.com/')).toEqual([]);
});

it('each finding has a method, a snippet and a confidence', () => {
  const [finding] = findContacts({
    html: '<body><p>Questions? Ask <a href="mailto:info@acme.com">our desk</a>.</p>',
    url: 'https://acme.com/',
  }).filter(({ field }) => field === 'email');
  expect(finding).toMatchObject({ value: 'info@acme.com', method: 'mailto', snippet: 'our desk' });
  expect(finding?.confidence).toBeGreaterThan(0.9);
});
