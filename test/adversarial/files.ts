import { DEFAULT_FILE_LIMITS } from '../../scraping/extraction/files/limits.ts';
import { type FileSource, readFile } from '../../scraping/extraction/files/read-file.ts';
import { makeDocx, makeEpub, makeOdt, makePptx, makeXlsx, zipOf } from '../fixtures/files/make-office.ts';
import { makePdf } from '../fixtures/files/make-pdf.ts';
import type { Attack } from './parsers.ts';

/** Files that are converted in an extraction thread; `size` is that of their text. */

const url = 'https://example.com/file';
const latin = (text: string) => Buffer.from(text, 'latin1');
const many = (text: string) => (size: number) => text.repeat(Math.ceil(size / text.length));

const OFFICE = 'application/vnd.openxmlformats-officedocument';
const TYPES: Partial<Record<FileSource['kind'], string>> = {
  docx: `${OFFICE}.wordprocessingml.document`,
  pptx: `${OFFICE}.presentationml.presentation`,
  xlsx: `${OFFICE}.spreadsheetml.sheet`,
  opendocument: 'application/vnd.oasis.opendocument.text',
  ...{ epub: 'application/epub+zip', pdf: 'application/pdf', rtf: 'application/rtf' },
};

/** What a file is read to, or the code of its error. */
const converted = async (file: FileSource): Promise<number | string> => {
  try {
    return (await readFile(file, DEFAULT_FILE_LIMITS)).body.length;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

const file = (
  name: string,
  kind: Exclude<FileSource['kind'], 'delimited'>,
  make: Attack['make'],
  pack: (text: string) => Uint8Array,
  size = 60_000,
): Attack => ({
  name: `${kind}: ${name}`,
  ...{ size, make },
  served: { as: 'page', type: TYPES[kind] ?? 'application/octet-stream', bytes: pack },
  read: (text) => converted({ kind, bytes: pack(text), url }),
});
const delimited = (name: string, make: Attack['make']): Attack => ({
  name: `table: ${name}`,
  ...{ size: 120_000, make },
  served: { as: 'page', type: 'text/csv', bytes: latin },
  read: (text) => converted({ kind: 'delimited', text, url }),
});

/** Texts at places that a number makes, on one page. */
const scattered = (place: (at: number) => { x: number; y: number }) => (text: string) =>
  makePdf([Array.from({ length: text.length / 10 }, (_, at) => ({ text: `word ${at}`, ...place(at) }))]);

export const FILE_ATTACKS: readonly Attack[] = [
  delimited('quotes', many('"')),
  delimited('quotes within fields', many('"a"b,')),
  delimited('a field that does not end', (size) => `a,b\n"${many('x\n')(size)}`),
  delimited('empty fields', many(',')),
  delimited('empty lines', many('\n')),
  file('groups', 'rtf', many('{'), (text) => latin(`{\\rtf1 ${text}`)),
  file('encoded letters', 'rtf', many("\\'e4"), (text) => latin(`{\\rtf1 ${text}`)),
  file('cells', 'rtf', many('\\intbl a\\cell\\row '), (text) => latin(`{\\rtf1 ${text}`)),
  file('nested lists', 'opendocument', many('<text:list><text:list-item>'), (text) => makeOdt(text)),
  file('spaces', 'opendocument', many('<text:s text:c="999999"/>'), (text) => makeOdt(text)),
  file('nested tables', 'docx', many('<w:tbl><w:tr><w:tc>'), (text) => makeDocx(text), 4000),
  file('runs', 'docx', many('<w:p><w:r><w:t>a</w:t></w:r></w:p>'), (text) => makeDocx(text)),
  file('shapes', 'pptx', many('<p:sp><a:p><a:r><a:t>a</a:t></a:r></a:p></p:sp>'), (text) => makePptx([text])),
  file('tags that do not end', 'epub', many('<body'), (text) =>
    zipOf({
      'META-INF/container.xml': '<container><rootfile full-path="a.opf"/></container>',
      'a.opf': '<package><item id="a" href="a.xhtml"/><itemref idref="a"/></package>',
      'a.xhtml': text,
    }),
  ),
  file('nothing', 'epub', many('x'), () => makeEpub()),
  file(
    'cells',
    'xlsx',
    (size) => size.toString(),
    (text) =>
      makeXlsx({
        S: Array.from(
          { length: Number(text) / 60 },
          (_, at) => `<row r="${at + 1}"><c r="A${at + 1}"><v>1</v></c></row>`,
        ).join(''),
      }),
  ),
  file(
    'cells on a diagonal',
    'xlsx',
    (size) => size.toString(),
    (text) =>
      makeXlsx({
        S: Array.from(
          { length: Number(text) / 60 },
          (_, at) =>
            `<row r="${at + 1}"><c r="${'ABCDEFGH'[at % 8]}${'ABCDEFGH'[(at >> 3) % 8]}${at + 1}"><v>1</v></c></row>`,
        ).join(''),
      }),
  ),
  file(
    'words on one line',
    'pdf',
    many('x'),
    scattered((at) => ({ x: at * 3, y: 500 })),
    10_000,
  ),
  file(
    'words without lines',
    'pdf',
    many('x'),
    scattered((at) => ({ x: (at * 7919) % 600, y: (at * 104729) % 800 })),
    10_000,
  ),
  file(
    'two columns of many rows',
    'pdf',
    many('x'),
    scattered((at) => ({ x: 60 + (at % 2) * 300, y: 100_000 - (at >> 1) * 12 })),
    10_000,
  ),
  file('objects that do not end', 'pdf', many('1 0 obj\n'), (text) => latin(`%PDF-1.7\n${text}`)),
  file('arrays', 'pdf', many('['), (text) => latin(`%PDF-1.7\n1 0 obj\n${text}`)),
];
