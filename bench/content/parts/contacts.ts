import type { Address, Contacts } from '../../../core/leads/lead.ts';
import { half, readCorpusLines } from '../corpus.ts';
import type { Part, Row } from '../part.ts';
import type { PageReader, SavedPage } from '../reader.ts';
import { normalised, score, share, wordScore } from '../scores.ts';

interface LabelledPage {
  id: string;
  company: string[];
  phones: string[];
  faxes: string[];
  emails: string[];
  street: string[];
  html: string;
}

const FILE = 'contacts-dev.jsonl.gz';

/**
 * Contacts on business pages annotated by hand (webstruct's `business_pages`): precision and
 * recall.
 */
export const contactsPart: Part = {
  name: 'contacts',
  needs: FILE,
  async measure({ options, readers, detail }) {
    const pages = half(await readCorpusLines<LabelledPage>(options.corpus, FILE), options.half);
    const rows: Row[] = [];
    for (const reader of readers) {
      const results: Result[] = [];
      for (const labels of pages) {
        const { contacts } = await reader.read(savedPage(labels), ['contacts']);
        if (contacts) results.push(compared(labels, contacts));
      }
      for (const { id, wrong } of results)
        if (wrong.length > 0) detail({ part: 'contacts', reader: reader.name, id, wrong });
      rows.push(...toRows(reader, results), ...(await hiddenAddresses(reader)));
    }
    return rows;
  },
};

/** The corpus keeps no addresses of its pages, but nearly all pages name theirs as their base. */
const savedPage = ({ id, html }: LabelledPage): SavedPage => ({
  html,
  url: /<base href="(https?:[^"]+)"/i.exec(html)?.[1] ?? `https://page-${id}.example/`,
});

interface Count {
  right: number;
  found: number;
  expected: number;
}

interface Result {
  id: string;
  phones: Count;
  emails: Count;
  faxes: number;
  faxesAsPhones: number;
  /** Null: the page's company is not labelled. */
  company: boolean | null;
  streets: Count;
  addresses: Count;
  wrong: string[];
}

function compared(labels: LabelledPage, contacts: Contacts): Result {
  const wrong: string[] = [];
  const count = <F, E>(name: string, found: F[], expected: E[], same: (f: F, e: E) => boolean): Count => {
    for (const e of expected) if (!found.some((f) => same(f, e))) wrong.push(`${name} missed: ${show(e)}`);
    for (const f of found) if (!expected.some((e) => same(f, e))) wrong.push(`${name} made up: ${show(f)}`);
    const right = found.filter((f) => expected.some((e) => same(f, e))).length;
    return { right, found: found.length, expected: expected.length };
  };
  const phones = distinct(
    labels.phones.map(withoutExtension).filter((phone) => digits(phone).length >= 7),
    samePhone,
  );
  const faxes = distinct(labels.faxes, samePhone);
  const streets = distinct(labels.street, (a, b) => squashed(a) === squashed(b));
  const addresses = count('address', contacts.addresses, streets, hasStreet);
  const streetsFound = streets.filter((street) =>
    contacts.addresses.some((address) => hasStreet(address, street)),
  );
  const { company } = contacts;
  const named = company !== null && labels.company.some((name) => sameCompany(company, name));
  if (labels.company.length > 0 && !named)
    wrong.push(`company: ${company} for ${labels.company.join(' | ')}`);
  return {
    id: labels.id,
    phones: count('phone', distinct(contacts.phones, samePhone), phones, samePhone),
    // Most addresses of these pages are not labelled, so only those of pages that have labels
    // count.
    emails:
      labels.emails.length > 0
        ? count('e-mail', contacts.emails, distinct(labels.emails.map(lower), Object.is), (f, e) => f === e)
        : NONE,
    faxes: faxes.length,
    faxesAsPhones: faxes.filter((fax) => contacts.phones.some((phone) => samePhone(phone, fax))).length,
    company: labels.company.length > 0 ? named : null,
    streets: { right: streetsFound.length, found: streetsFound.length, expected: streets.length },
    addresses,
    wrong,
  };
}

const NONE: Count = { right: 0, found: 0, expected: 0 };
const show = (value: unknown): string => (typeof value === 'string' ? value : (value as Address).text);
const lower = (text: string) => text.toLowerCase();
const digits = (text: string) => text.replace(/\D/g, '');
const withoutExtension = (phone: string) => phone.replace(/\s?(?:x|ext\.?|\d{1,2}[ap]m).*$/i, '');
const distinct = <T>(items: readonly T[], same: (a: T, b: T) => boolean): T[] =>
  items.filter((item, at) => items.findIndex((other) => same(other, item)) === at);

/** Compares the last digits: labels are as on the page, with or without a calling code. */
function samePhone(one: string, other: string): boolean {
  const [a, b] = [digits(one), digits(other)];
  const length = Math.min(9, a.length, b.length);
  return length >= 7 && a.slice(-length) === b.slice(-length);
}

const squashed = (text: string) => normalised(text.replaceAll('&amp;', '&')).replaceAll(' ', '');
const ENOUGH = 0.8;
const sameCompany = (a: string, b: string) => wordScore(a, b).f1 >= ENOUGH || squashed(a) === squashed(b);

function hasStreet({ text, street }: Address, label: string): boolean {
  const [own, wanted] = [squashed(street ?? ''), squashed(label)];
  return (
    squashed(text).includes(wanted) ||
    (own.length > 5 && wanted.includes(own)) ||
    wordScore(street ?? text, label).f1 >= ENOUGH
  );
}

function toRows(reader: PageReader, results: readonly Result[]): Row[] {
  const sum = (of: (result: Result) => Count): Count =>
    results
      .map(of)
      .reduce(
        (a, b) => ({ right: a.right + b.right, found: a.found + b.found, expected: a.expected + b.expected }),
        NONE,
      );
  const f1 = ({ right, found, expected }: Count) => score(right, found, expected).f1;
  const noted = (count: Count) => {
    const { precision, recall } = score(count.right, count.found, count.expected);
    return `precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, of ${count.expected}`;
  };
  const [phones, emails, streets, addresses] = [
    sum((result) => result.phones),
    sum((result) => result.emails),
    sum((result) => result.streets),
    sum((result) => result.addresses),
  ];
  const faxes = results.reduce((total, result) => total + result.faxes, 0);
  const asPhones = results.reduce((total, result) => total + result.faxesAsPhones, 0);
  const companies = results.filter(({ company }) => company !== null);
  const name = (text: string) => (reader.name === 'html' ? text : `${reader.name}: ${text}`);
  return [
    { name: name('phones F1'), figure: f1(phones), target: { atLeast: 0.93 }, note: noted(phones) },
    {
      name: name('faxes reported as phones'),
      figure: faxes === 0 ? 0 : asPhones / faxes,
      target: { atMost: 0.05 },
      note: `of ${faxes}`,
    },
    {
      name: name('e-mails F1'),
      figure: f1(emails),
      target: { atLeast: 0.97 },
      note: `few are labelled: ${emails.expected}`,
    },
    {
      name: name('company right'),
      figure: share(companies, ({ company }) => company === true),
      target: { atLeast: 0.7 },
      note: `of ${companies.length}`,
    },
    {
      name: name('streets found'),
      figure: streets.expected === 0 ? 0 : streets.right / streets.expected,
      target: { atLeast: 0.7 },
      note: `of ${streets.expected}`,
    },
    {
      name: name('addresses right'),
      figure: addresses.found === 0 ? 0 : addresses.right / addresses.found,
      target: { atLeast: 0.85 },
      note: `of ${addresses.found}`,
    },
  ];
}

const HIDDEN = 200;

/**
 * Addresses as Cloudflare hides them, one key after another, in each of its two forms. The corpus
 * is older than that.
 */
async function hiddenAddresses(reader: PageReader): Promise<Row[]> {
  const expected = Array.from({ length: HIDDEN }, (_, at) => `name.${at}@firm-${at}.com`);
  const codes = expected.map((address, at) => {
    const key = (at * 37 + 1) % 256;
    return Buffer.from([key, ...Buffer.from(address).map((byte) => byte ^ key)]).toString('hex');
  });
  const links = codes.map((code, at) =>
    at % 2 === 0
      ? `<a href="/cdn-cgi/l/email-protection" class="__cf_email__" data-cfemail="${code}">[email&#160;protected]</a>`
      : `<a href="/cdn-cgi/l/email-protection#${code}">Mail</a>`,
  );
  const { contacts } = await reader.read(
    { url: 'https://firm.example/', html: `<body>${links.join('<br>')}` },
    ['contacts'],
  );
  const found = new Set(contacts?.emails);
  return [
    {
      name: reader.name === 'html' ? 'hidden e-mails decoded' : `${reader.name}: hidden e-mails decoded`,
      figure: share(expected, (address) => found.has(address)),
      target: { atLeast: 1 },
      note: `of ${HIDDEN}`,
    },
  ];
}
