import { findContacts, findOwnerContacts, toContacts } from '../contacts.ts';

const contactsOf = (body: string, lang: string, url: string) => {
  const { emails, phones, addresses } = toContacts(
    findContacts({ html: `<html lang="${lang}"><body>${body}</body></html>`, url }),
  );
  return { emails, phones, streets: addresses.map(({ street }) => street) };
};

const OWN = {
  de: '<p>Tel. 030 23125100 info@acme.de</p>',
  en: '<p>Tel. 020 7946 0123 info@acme.co.uk</p>',
  fr: '<p>Tél. 01 42 68 53 00 info@acme.fr</p>',
  it: '<p>Tel. 02 72001234 info@acme.it</p>',
  es: '<p>Tel. 91 123 45 67 info@acme.es</p>',
  pt: '<p>Tel. (11) 3123-4567 info@acme.com.br</p>',
  nl: '<p>Tel. 020 624 1111 info@acme.nl</p>',
  pl: '<p>tel. 22 123 45 67 info@acme.pl</p>',
  cs: '<p>tel. 222 123 456 info@acme.cz</p>',
  ru: '<p>Тел.: (495) 123-45-67 info@acme.ru</p>',
  tr: '<p>Tel: 0212 512 34 56 info@acme.com.tr</p>',
  ja: '<p>電話 03-3212-1234 info@acme.jp</p>',
};
const ALONE = {
  de: '+493023125100',
  en: '+442079460123',
  fr: '+33142685300',
  it: '+390272001234',
  es: '+34911234567',
  pt: '+551131234567',
  nl: '+31206241111',
  pl: '+48221234567',
  cs: '+420222123456',
  ru: '+74951234567',
  tr: '+902125123456',
  ja: '+81332121234',
};

it.each<[keyof typeof OWN, string]>([
  ['de', '<footer>© Acme | Webdesign: <a href="mailto:hi@pixel.de">Pixel</a>, 0211 5551234</footer>'],
  [
    'de',
    '<footer><p>Webdesign by Pixel<br>Tel. 0211 5551234<br><a href="mailto:hi@pixel.de">Mail</a></p></footer>',
  ],
  [
    'de',
    '<h1>Impressum</h1><p><b>Umsetzung:</b><br>Pixel GmbH<br>Hauptstr. 5<br>50667 Köln<br>Tel. 0221 1234567<br>mail@pixel.de</p>',
  ],
  [
    'de',
    '<h1>Impressum</h1><h3>Datenschutzbeauftragter</h3><p>Dr. Max Schutz<br>Privacy Consult GmbH<br>Tel. 040 12345678<br>dsb@privacy-consult.de</p>',
  ],
  [
    'de',
    '<p>Zuständige Aufsichtsbehörde: Landesbeauftragte für Datenschutz, Kavalleriestr. 2-4, 40213 Düsseldorf, Tel 0211 384240, poststelle@ldi.nrw.de</p>',
  ],
  [
    'de',
    '<p>Zuständige Kammer: Rechtsanwaltskammer Berlin<br>Littenstraße 9<br>10179 Berlin<br>Tel. 030 3069310<br>mail@rak-berlin.org</p>',
  ],
  [
    'de',
    '<h2>Berufshaftpflichtversicherung</h2><p>Allianz AG<br>Königinstr. 28<br>80802 München<br>Tel 089 38000</p>',
  ],
  [
    'de',
    '<p>Anbieter ist Google Ireland Limited, Gordon House, Barrow Street, Dublin 4, +353 1 543 1000, support@google.com.</p>',
  ],
  [
    'de',
    '<p>PayPal (Europe) S.à.r.l. et Cie<br>22-24 Boulevard Royal<br>L-2449 Luxembourg<br>+352 27 302 100</p>',
  ],
  ['de', '<p>Fotos: Eva Bild, eva@bild-foto.de, Tel 0221 1234567</p>'],
  ['en', '<footer>Powered by Pixel Ltd (0113 496 0123) <a href="mailto:x@pixel.com">mail</a></footer>'],
  ['en', '<p>Website designed and built by Pixel Ltd, 4 Mill Lane, Leeds LS1 4AB, 0113 496 0123</p>'],
  [
    'en',
    '<p>Information Commissioner’s Office<br>Water Lane, Wilmslow SK9 5AF<br>0303 123 1113<br>casework@ico.org.uk</p>',
  ],
  [
    'fr',
    '<h1>Mentions légales</h1><h2>Hébergeur</h2><p>Nuage SAS<br>2 rue Kellermann<br>59100 Roubaix<br>Tél : 03 20 10 10 07<br><a href="mailto:support@nuage.fr">Mail</a></p>',
  ],
  ['fr', '<p>Le site www.acme.fr est hébergé par Nuage, 2 rue Kellermann 59100 Roubaix, 03 20 10 10 07</p>'],
  [
    'it',
    '<footer>P.IVA 01234567890 - Sito web realizzato da <a href="mailto:a@pixel.it">Pixel</a> 06 6991234</footer>',
  ],
  ['es', '<footer>Diseño web: Pixel, 93 412 34 56, hola@pixel.es</footer>'],
  ['pt', '<footer>Desenvolvido por Pixel - (21) 2123-4567 - oi@pixel.com.br</footer>'],
  ['nl', '<footer>Website door Pixel, 010 412 3456, info@pixel.nl</footer>'],
  ['pl', '<footer>Projekt i wykonanie: Pixel, tel. 12 123 45 67, biuro@pixel.pl</footer>'],
  ['cs', '<footer>Tvorba webových stránek: Pixel, 541 123 456, info@pixel.cz</footer>'],
  ['ru', '<footer>Создание сайта: Пиксель, (812) 123-45-67, info@pixel.ru</footer>'],
  ['tr', '<footer>Web Tasarım: Pixel 0216 412 34 56 info@pixel.com.tr</footer>'],
  ['ja', '<footer>ホームページ制作：ピクセル 06-6212-1234 info@pixel.jp</footer>'],
])('another party’s data is not the business’s: %s %s', (lang, body) => {
  const mail = /\S+@\S+(?=<\/p>)/.exec(OWN[lang])?.[0] ?? '';
  const domain = mail.slice(mail.indexOf('@') + 1);
  expect(contactsOf(OWN[lang] + body, lang, `https://${domain}/`)).toEqual({
    emails: [mail],
    phones: [ALONE[lang]],
    streets: [],
  });
});

it.each([
  ['what powers a product', '<p>Powered by the sun. Call 020 7946 0123</p>'],
  ['what an architect designs', '<p>Houses designed by Smith Architects. Call 020 7946 0123</p>'],
  ['a web agency’s own credit', '<footer>Web design by Acme, 020 7946 0123</footer>'],
  ['an invitation', '<p>Visit our website at www.acme.co.uk or call 020 7946 0123</p>'],
])('%s is no credit of another party', (_, body) => {
  expect(contactsOf(body, 'en', 'https://acme.co.uk/').phones).toEqual(['+442079460123']);
});

it('an officer at the site’s own domain is the business’s', () => {
  const body = '<h3>Datenschutzbeauftragter</h3><p>Dr. Max Schutz<br>datenschutz@acme.de</p>';
  expect(contactsOf(body, 'de', 'https://acme.de/').emails).toEqual(['datenschutz@acme.de']);
});

describe('a list of other businesses', () => {
  const TRADES = ['Bau', 'Maler', 'Dach', 'Elektro', 'Garten', 'Holz', 'Glas', 'Auto', 'Metall', 'Stein'];
  const page = (entry: (trade: string, at: number) => string) =>
    `<html lang="de"><ul>${TRADES.map((trade, at) => `<li>${entry(trade, at)}</li>`).join('')}</ul>`;
  const read = (html: string, url = 'https://verzeichnis.de/') => {
    const { findings, isListing } = findOwnerContacts({ html, url });
    return { isListing, ...toContacts(findings) };
  };
  const phone = (at: number) => `Tel. 030 231251${String(at).padStart(2, '0')}`;

  it.each<[string, string]>([
    [
      'e-mails',
      page((trade, at) => `${trade} Meier, Hauptstr. ${at + 1}, ${phone(at)}, info@${trade}-meier.de`),
    ],
    ['free mailboxes', page((trade, at) => `${trade} Meier, ${phone(at)}, ${trade}.meier@gmx.de`)],
    [
      'links',
      page((trade, at) => `<h3>${trade} Meier</h3>${phone(at)} <a href="https://${trade}-meier.de/">Web</a>`),
    ],
    ['numbers alone', page((trade, at) => `<h3>${trade} Meier</h3>${phone(at)}`)],
    [
      'structured data',
      page(
        (trade, at) =>
          `<script type="application/ld+json">{"@type":"LocalBusiness","name":"${trade} Meier","telephone":"030 231251${at}0"}</script>`,
      ),
    ],
  ])('is recognised by its entries’ %s, which are left out', (_, html) => {
    expect(read(html)).toMatchObject({
      isListing: true,
      company: null,
      emails: [],
      phones: [],
      addresses: [],
    });
  });

  it('keeps its publisher’s own', () => {
    const html = `${page((trade, at) => `${trade}, ${phone(at)}, info@${trade}-meier.de`)}<footer>Impressum: Tel. 030 9876540, mail@verzeichnis.de</footer>`;
    expect(read(html)).toMatchObject({ emails: ['mail@verzeichnis.de'], phones: ['+49309876540'] });
  });

  it('is not a chain with its branches', () => {
    const html = page((trade, at) => `Acme ${trade}, Hauptstr. ${at + 1}, ${phone(at)}, ${trade}@acme.de`);
    const { isListing, emails, phones } = read(`<title>Acme</title>${html}`, 'https://acme.de/');
    expect([isListing, emails.length, phones.length]).toEqual([false, 10, 10]);
  });
});
