import { PageFailure } from '../../../core/jobs/page-errors.ts';
import {
  inlineCell,
  makeDocx,
  makeEpub,
  makeOdt,
  makePptx,
  makeXlsx,
  wordParagraph,
  zipOf,
} from '../../../test/fixtures/files/make-office.ts';
import { makePdf, type PdfText } from '../../../test/fixtures/files/make-pdf.ts';
import type { Format } from '../extract.ts';
import { extractFile } from './extract-file.ts';
import { fileKindOf } from './file-kind.ts';
import { DEFAULT_FILE_LIMITS, type FileLimits } from './limits.ts';
import type { FileSource } from './read-file.ts';

const URL_OF_FILE = 'https://www.muster.de/files/list';
const FORMATS: Format[] = ['markdown', 'text', 'html', 'links', 'metadata', 'contacts'];

function read(bytes: Uint8Array, limits: Partial<FileLimits> = {}) {
  const kind = fileKindOf(bytes);
  if (kind === null) throw new Error('a file of no known kind');
  return readSource({ kind, bytes, url: URL_OF_FILE }, limits);
}

const readSource = (file: FileSource, limits: Partial<FileLimits> = {}) =>
  extractFile({
    ...{ file, limits: { ...DEFAULT_FILE_LIMITS, ...limits }, url: file.url, charset: '' },
    ...{ formats: FORMATS, mainContent: true, fields: { first: 'td', title: 'h1' } },
  });

const readCsv = (text: string, limits: Partial<FileLimits> = {}) =>
  readSource({ kind: 'delimited', text, url: URL_OF_FILE }, limits);

const codeOf = (reading: Promise<unknown>) =>
  reading.then(
    () => null,
    (error: unknown) => (error instanceof PageFailure ? error.code : error),
  );

/** Lines of text from the top, 14 points apart. */
const lines = (texts: readonly string[], at: Partial<PdfText> = {}): PdfText[] =>
  texts.map((text, line) => ({ x: 60, size: 11, ...at, text, y: (at.y ?? 780) - line * 14 }));

describe('a PDF', () => {
  const imprint = makePdf(
    [
      [
        { text: 'Impressum', x: 60, y: 780, size: 22 },
        ...lines(['Muster Schlosserei GmbH', 'Musterstraße 12', '10115 Berlin'], { y: 740 }),
        ...lines(['Telefon: 030 1234567', 'E-Mail: info@muster.de'], { y: 680 }),
      ],
    ],
    {
      info: {
        Title: 'Microsoft Word - impressum.doc',
        Author: 'Ada Lock; Ben Gate',
        CreationDate: "D:20260304120000+01'00'",
      },
      links: [{ page: 0, rect: [60, 660, 200, 678], url: 'https://www.muster.de/mail' }],
      language: 'de',
    },
  );

  it('has headings, lines, links, contacts and what it says about itself', async () => {
    const page = await read(imprint);
    expect(page).toMatchObject({
      title: 'Impressum',
      markdown: expect.stringContaining(
        '# Impressum\n\nMuster Schlosserei GmbH  \nMusterstraße 12  \n10115 Berlin\n\n',
      ),
      links: [{ url: 'https://www.muster.de/mail', kind: 'internal' }],
      metadata: {
        title: 'Impressum',
        authors: ['Ada Lock', 'Ben Gate'],
        published: '2026-03-04T12:00:00+01:00',
        language: 'de',
        pages: 1,
      },
      contacts: {
        emails: ['info@muster.de'],
        phones: ['+49301234567'],
        addresses: [{ street: 'Musterstraße 12', postal_code: '10115', city: 'Berlin' }],
      },
      extracted: { title: 'Impressum' },
    });
    expect(page.fault).toBeUndefined();
  });

  it('has its columns one after the other, and hyphenated words whole', async () => {
    const left = [
      'The lock keeper opens the upper gates',
      'before dawn and closes them when the',
      'last barge of the evening has passed',
      'through the cham-',
      'ber; nobody may pass at night time.',
    ];
    const right = [
      'Water that is let out of the basin is',
      'lost to the canal, and in dry summers',
      'the company counts each lockage for',
      'the report to its owners in London.',
      'They read it, and they pay for it all.',
    ];
    const page = await read(
      makePdf([
        [
          { text: 'Of the keeper of the locks and his many duties', x: 60, y: 800, size: 18 },
          ...lines(left, { y: 760 }),
          ...lines(right, { x: 320, y: 760 }),
        ],
      ]),
    );
    expect(page.text).toMatch(
      /opens the upper gates before dawn and closes[\s\S]*chamber; nobody may pass at night time\.\s+Water that is let out/,
    );
  });

  it('has three narrow columns one after the other', async () => {
    const words =
      'the keeper of the lock opens the gates at dawn and closes them at dusk when the last barge is through'.split(
        ' ',
      );
    const column = (name: string) => [
      `${name} ${words.slice(0, 4).join(' ')}`,
      ...[4, 8, 12, 16].map((at) => words.slice(at, at + 4).join(' ')),
      `so it ends here ${name}`,
    ];
    const texts = ['one', 'two', 'three'].flatMap((name, at) => lines(column(name), { x: 60 + at * 140 }));
    expect((await read(makePdf([texts]))).text).toMatch(
      /^one the keeper[\s\S]*here one\s+two the keeper[\s\S]*here two\s+three the keeper[\s\S]*here three$/,
    );
  });

  it('has tables, with cells that are wrapped', async () => {
    const row = (y: number, ...cells: string[]) =>
      cells.map((text, at) => ({ text, x: [60, 250, 400][at] ?? 0, y }));
    const page = await read(
      makePdf([
        [
          ...lines(['Our prices, which hold until the end of the year:'], { y: 760 }),
          ...row(720, 'Article', 'Size', 'Price'),
          ...row(700, 'Hinge', '40 mm', '1,20 €'),
          ...row(680, 'Padlock with', '60 mm', '1.299,00 €'),
          ...row(667, '', 'or 80 mm', ''),
          ...row(645, 'Key', '10 mm', '0,80 €'),
          ...lines(['Delivery takes three days.'], { y: 600 }),
        ].filter(({ text }) => text !== ''),
      ]),
    );
    expect(page.markdown).toBe(
      'Our prices, which hold until the end of the year:\n\n| Article | Size | Price |\n| --- | --- | --- |\n| Hinge | 40 mm | 1,20 € |\n| Padlock with | 60 mm or 80 mm | 1.299,00 € |\n| Key | 10 mm | 0,80 € |\n\nDelivery takes three days.',
    );
  });

  it('has lists', async () => {
    const page = await read(
      makePdf([
        [
          ...lines(['We offer:'], { y: 760 }),
          ...lines(['• repairs of locks of any', 'age and make', '• keys'], { y: 740 }),
          ...lines(['1. Call us', '2. Wait'], { y: 660 }),
        ],
      ]),
    );
    expect(page.markdown).toContain('- keys\n');
    expect(page.markdown).toMatch(/1\. Call us\n2\. Wait/);
  });

  it('loses the lines that its pages repeat', async () => {
    const pages = [1, 2, 3, 4].map((number) => [
      { text: 'Lock & Gate Ltd, annual report', x: 60, y: 815 },
      ...lines([`Chapter ${['one', 'two', 'three', 'four'][number - 1]} is about water.`], { y: 700 }),
      { text: `Page ${number} of 4`, x: 280, y: 30 },
    ]);
    const { text = '' } = await read(makePdf(pages));
    expect(text.match(/annual report/g)).toHaveLength(1);
    expect(text).not.toMatch(/Page [234] of 4/);
    expect(text).toMatch(/one is[\s\S]*two is[\s\S]*three is[\s\S]*four is/);
  });

  it('without text says so, and keeps what is known', async () => {
    expect(await read(makePdf([[], []], { info: { Title: 'A scan' } }))).toMatchObject({
      title: 'A scan',
      markdown: '',
      metadata: { title: 'A scan', pages: 2 },
      fault: { code: 'file_without_text', message: expect.stringContaining('scan') },
    });
  });

  it('longer than the limit is cut, and says so', async () => {
    const pages = Array.from({ length: 5 }, (_, at) => lines([`This is page ${at + 1}.`], { y: 500 }));
    const page = await read(makePdf(pages), { pages: 2 });
    expect(page.text).toContain('page 2');
    expect(page.text).not.toContain('page 3');
    expect(page).toMatchObject({
      metadata: { pages: 5 },
      fault: { code: 'page_too_large', message: expect.stringContaining('2 of 5') },
    });
  });

  it.each([
    ['cut in half', imprint.subarray(0, 40), 'file_unreadable'],
    ['with nothing in it', Buffer.from('%PDF-1.7\n%%EOF'), 'file_unreadable'],
    [
      'behind a password',
      makePdf([lines(['x'])], {
        trailer: `/ID [<00> <00>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <${'ab'.repeat(32)}> /U <${'cd'.repeat(32)}> >>`,
      }),
      'file_encrypted',
    ],
  ])('%s fails with a code', async (_, bytes, code) => {
    expect(await codeOf(read(bytes))).toBe(code);
  });
});

describe('a Word document', () => {
  const table = `<w:tbl>${[
    ['Article', 'Price'],
    ['Hinge', '1,20 €'],
  ]
    .map((row) => `<w:tr>${row.map((cell) => `<w:tc>${wordParagraph(cell)}</w:tc>`).join('')}</w:tr>`)
    .join('')}</w:tbl>`;
  const link = '<w:p><w:hyperlink r:id="r9"><w:r><w:t>all locks</w:t></w:r></w:hyperlink></w:p>';
  const docx = makeDocx(
    `${wordParagraph('Our locks', 'H1')}${wordParagraph('They are &lt;old&gt;.')}${table}${link}`,
    wordParagraph('Muster GmbH, Musterstraße 12, 10115 Berlin, Tel. 030 1234567'),
  );

  it('has headings, tables, links, its letterhead and what it says about itself', async () => {
    expect(await read(docx)).toMatchObject({
      title: 'Price list',
      markdown: expect.stringMatching(
        /^# Our locks\n\nThey are \\?<old>\.\n\n\| Article \| Price \|\n\| --- \| --- \|\n\| Hinge \| 1,20 € \|\n\n\[all locks\]\(https:\/\/example\.com\/locks\)\n\nMuster GmbH/,
      ),
      links: [{ url: 'https://example.com/locks', text: 'all locks', kind: 'external' }],
      metadata: {
        authors: ['Ada Lock', 'Ben Gate'],
        published: '2026-03-04T10:00:00Z',
        modified: '2026-03-05T10:00:00Z',
      },
      contacts: { phones: ['+49301234567'] },
    });
  });

  it('that is damaged fails with a code', async () => {
    expect(await codeOf(read(docx.slice(0, -30)))).toBe('file_unreadable');
    expect(await codeOf(read(zipOf({ 'word/document.xml': '<w:document' })))).toBe('file_unreadable');
  });

  it('that unpacks to more than the limit fails before it is unpacked', async () => {
    const bomb = makeDocx(wordParagraph('0'.repeat(20_000_000)));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await codeOf(read(bomb, { unpackedBytes: 1_000_000 }))).toBe('page_too_large');
  });
});

describe('a spreadsheet', () => {
  const row = (number: number, cells: string) => `<row r="${number}">${cells}</row>`;
  const prices = [
    row(2, inlineCell('B2', 'Article') + inlineCell('C2', 'Price') + inlineCell('D2', 'Since')),
    row(3, `${inlineCell('B3', 'Hinge')}<c r="C3" s="2"><v>1299.5</v></c><c r="D3" s="1"><v>46085</v></c>`),
    row(5, `${inlineCell('B5', 'Share')}<c r="C5" s="3"><v>0.25</v></c><c r="D5"><v>1234567890123</v></c>`),
  ].join('');

  it('is a table per visible sheet, with numbers and dates as shown', async () => {
    expect(
      await read(
        makeXlsx({ Prices: prices, Secret: row(1, inlineCell('A1', 'hidden')), Empty: '' }, ['Secret']),
      ),
    ).toMatchObject({
      title: 'Price list',
      markdown:
        '## Prices\n\n| Article | Price | Since |\n| --- | --- | --- |\n| Hinge | 1,299.50 € | 2026-03-04 |\n| Share | 25% | 1234567890123 |\n\n## Empty',
      metadata: { sheets: ['Prices', 'Empty'], authors: ['Ada Lock', 'Ben Gate'] },
    });
  });

  it('with more rows than the limit is cut, and says so', async () => {
    const rows = Array.from({ length: 30 }, (_, at) =>
      row(at + 1, inlineCell(`A${at + 1}`, `row ${at + 1}`)),
    ).join('');
    const page = await read(makeXlsx({ Long: rows }), { rows: 10 });
    expect(page.text).toContain('row 10');
    expect(page.text).not.toContain('row 11');
    expect(page.fault).toMatchObject({ code: 'page_too_large' });
    expect((await read(makeXlsx({ Long: rows }), { rows: 30 })).fault).toBeUndefined();
  });

  it('with forged references is read without them', async () => {
    const forged =
      row(1, inlineCell('A1', 'here')) +
      row(1048576, inlineCell('XFD1048576', 'far')) +
      row(2, inlineCell('ZZZZZ2', 'beyond'));
    expect((await read(makeXlsx({ S: forged }))).text).toContain('here');
  });

  it('that is encrypted fails with a code', async () => {
    const container = Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.alloc(600),
      Buffer.from('EncryptedPackage', 'utf16le'),
    ]);
    expect(await codeOf(read(container))).toBe('file_encrypted');
  });
});

describe('a CSV', () => {
  it.each([
    [
      'commas',
      'Name,Price\n"Lock, big",1.20\nKey,"0,80"\n',
      '| Name | Price |\n| --- | --- |\n| Lock, big | 1.20 |\n| Key | 0,80 |',
    ],
    [
      'semicolons',
      '\ufeffName;Preis\r\nSchloss;1,20\r\nSchlüssel;0,80\r\n',
      '| Name | Preis |\n| --- | --- |\n| Schloss | 1,20 |\n| Schlüssel | 0,80 |',
    ],
    ['tabs', 'Name\tPrice\nLock, big\t1\n', '| Name | Price |\n| --- | --- |\n| Lock, big | 1 |'],
    ['pipes', 'Name|Price\nLock|1\n', '| Name | Price |\n| --- | --- |\n| Lock | 1 |'],
    [
      'a line for Excel',
      'sep=;\r\nName;Price\r\nA,B,C;1\r\n',
      '| Name | Price |\n| --- | --- |\n| A,B,C | 1 |',
    ],
    [
      'a line break in a field',
      'Name,Price\n"Lock\nbig",1\n',
      '| Name | Price |\n| --- | --- |\n| Lock<br>big | 1 |',
    ],
    [
      'rows of different lengths',
      'Name,Price\nLock\nKey,2,old\n',
      '| Name | Price |  |\n| --- | --- | --- |\n| Lock |  |  |\n| Key | 2 | old |',
    ],
  ])('with %s is a table', async (_, source, markdown) => {
    expect((await readCsv(source)).markdown).toBe(markdown);
  });

  it('with more rows than the limit is cut, and says so', async () => {
    const page = await readCsv(`n\n${Array.from({ length: 50 }, (_, at) => `row ${at}`).join('\n')}`, {
      rows: 10,
    });
    expect(page).toMatchObject({ fault: { code: 'page_too_large' } });
    expect(page.text).not.toContain('row 30');
  });

  it('gives fields and contacts', async () => {
    expect(await readCsv('Name,Mail\nAda,ada@muster.de\n')).toMatchObject({
      extracted: { first: 'Ada' },
      contacts: { emails: ['ada@muster.de'] },
    });
  });
});

it('an OpenDocument text has headings, lists, tables and links, and no deleted text', async () => {
  const page = await read(
    makeOdt(
      '<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes><text:h text:outline-level="1">Locks</text:h><text:p>Two<text:s text:c="2"/>words<text:line-break/>and <text:a xlink:href="https://example.com/a">a link</text:a></text:p><text:list><text:list-item><text:p>One</text:p></text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>Hinge</text:p></table:table-cell><table:table-cell><text:p>1</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell/><table:table-cell><text:p>2</text:p></table:table-cell></table:table-row></table:table>',
    ),
  );
  expect(page).toMatchObject({
    title: 'Locks',
    links: [{ url: 'https://example.com/a' }],
    metadata: { pages: 3, authors: ['Ada Lock'] },
  });
  expect(page.markdown).toMatch(/^# Locks\n\nTwo words {2}\nand \[a link\]/);
  expect(page.markdown).toContain('- One');
  expect(page.markdown).toContain('| Hinge | 1 |');
  expect(page.text).not.toContain('deleted');
  expect(await codeOf(read(makeOdt('', '<manifest:encryption-data/>')))).toBe('file_encrypted');
});

it('a presentation has a heading per slide, its lists and tables', async () => {
  const shape = (placeholder: string, ...texts: string[]) =>
    `<p:sp><p:nvPr><p:ph type="${placeholder}"/></p:nvPr><p:txBody>${texts.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join('')}</p:txBody></p:sp>`;
  const table =
    '<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Hinge</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>2</a:t></a:r></a:p></a:txBody></a:tc></a:tr><a:tr><a:tc/><a:tc><a:p><a:t>3</a:t></a:p></a:tc></a:tr></a:tbl>';
  const page = await read(
    makePptx([shape('title', 'First') + shape('body', 'one', 'two'), shape('ctrTitle', 'Second') + table]),
  );
  expect(page).toMatchObject({ title: 'Price list', metadata: { slides: 2 } });
  expect(page.markdown).toMatch(
    /^## First\n\n- one\n- two\n\n## Second[\s\S]*\| Hinge \| 2 \|\n\| {2}\| 3 \|/,
  );
});

it('a book has its chapters in reading order', async () => {
  const page = await read(makeEpub());
  expect(page).toMatchObject({
    ...{ title: 'On locks', links: [{ url: 'https://example.com/', text: 'example' }] },
    metadata: { authors: ['Ada Lock'], language: 'en', chapters: 2 },
  });
  expect(page.markdown).toBe('# One\n\nWater runs down.\n\n# Two\n\nSee [example](https://example.com/).');
});

it('an RTF has its paragraphs and tables, in its code page', async () => {
  const page = await read(
    Buffer.from(
      String.raw`{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}{\info{\title Locks}{\author Ada Lock}}{\*\generator X;}\pard \'cf\'f0\'e8\'e2\'e5\'f2 \u8364?\par Second\line line\par \trowd\intbl Hinge\cell 2\cell\row\pard {\field{\*\fldinst HYPERLINK "x"}{\fldrslt link}}\par}`,
    ),
  );
  expect(page).toMatchObject({ title: 'Locks', metadata: { authors: ['Ada Lock'] } });
  expect(page.text).toBe('Привет €\n\nSecond\nline\n\nHinge\t2\n\nlink');
});

describe('a picture', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000400000002008060000005c72a866', 'hex');
  const gif = Buffer.from('474946383961400020008000000000000000002c00000000', 'hex');

  it.each([
    ['png', png],
    ['gif', gif],
  ])('tells its size: %s', async (format, bytes) => {
    expect(await read(bytes)).toMatchObject({
      metadata: { width: 64, height: 32, format },
      markdown: `![](${URL_OF_FILE})`,
    });
  });

  it('that is damaged fails with a code', async () => {
    expect(await codeOf(read(png.subarray(0, 16)))).toBe('file_unreadable');
  });
});

it.each([
  ['a zip of anything', zipOf({ 'a.txt': 'x' })],
  ['a program', Buffer.from('4d5a90000300000004000000ffff', 'hex')],
  ['a text', Buffer.from('%!PS just a text')],
  ['nothing', Buffer.alloc(0)],
])('%s is no file that is read', (_, bytes) => {
  expect(fileKindOf(bytes)).toBeNull();
});
