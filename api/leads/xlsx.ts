import { strToU8, Zip, ZipDeflate } from 'fflate';
import { parseUrl } from '../../core/parse-url.ts';
import { COLUMN_NAMES, cellsOf, type TableLead, VALUE_COLUMNS, valueRows } from './columns.ts';

export const XLSX_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Excel's limit of characters per cell. */
const MAX_CELL = 32_767;
/** Excel's limit of rows, the heading included. */
const MAX_ROWS = 1_048_576;
/** Excel's limits of links per sheet and of characters per link. */
const MAX_LINKS = 65_530;
const MAX_LINK = 2_079;

/** A sheet, by the rows of one lead. */
interface Sheet {
  name: string;
  columns: readonly string[];
  rows(lead: TableLead): string[][];
}

const SHEETS: readonly Sheet[] = [
  { name: 'Leads', columns: COLUMN_NAMES, rows: (lead) => [cellsOf(lead, 'first')] },
  { name: 'Values', columns: VALUE_COLUMNS, rows: valueRows },
];

/** Column widths in characters. */
const WIDE: Record<string, number> = {
  ...{ company: 32, website: 32, emails: 36, phones: 24, addresses: 48, description: 60 },
  ...{ value: 40, url: 48, snippet: 60, legal_name: 36, people: 36, opening_hours: 36 },
};
/** Columns whose values are links. */
const LINKED = new Set(
  'website emails linkedin facebook instagram twitter youtube xing logo url value'.split(' '),
);
/** Columns of numbers; all others are text, so none is a formula, and phones keep their plus. */
const isNumeric = (column: string): boolean => column.endsWith('confidence');

/**
 * Streams a workbook: a sheet with one value per cell, the most certain one, and a sheet with every
 * value and where it was found. No library: they hold the whole workbook in memory, and a job may
 * have 100,000 leads.
 *
 * @param leads starts at the first lead each time: it is read once per sheet
 */
export async function* xlsx(leads: () => AsyncIterable<TableLead>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    ready.push(chunk);
  });
  const add = (path: string, content: string) => {
    const part = new ZipDeflate(path);
    zip.add(part);
    part.push(strToU8(content), true);
  };
  for (const [path, content] of Object.entries(PARTS)) add(path, content);
  for (const [index, sheet] of SHEETS.entries()) {
    const links = new SheetLinks();
    const part = new ZipDeflate(`xl/worksheets/sheet${index + 1}.xml`, { level: 6 });
    zip.add(part);
    part.push(strToU8(sheetBegin(sheet.columns) + row(sheet.columns, [...sheet.columns], 1, HEADING, null)));
    let rows = 1;
    reading: for await (const lead of leads()) {
      for (const cells of sheet.rows(lead)) {
        if (rows === MAX_ROWS) break reading;
        rows += 1;
        part.push(strToU8(row(sheet.columns, cells, rows, PLAIN, links)));
      }
      yield* ready.splice(0);
    }
    const last = `${columnName(sheet.columns.length - 1)}${rows}`;
    part.push(strToU8(`</sheetData><autoFilter ref="A1:${last}"/>${links.elements()}</worksheet>`), true);
    if (!links.isEmpty) add(`xl/worksheets/_rels/sheet${index + 1}.xml.rels`, links.relationships());
    yield* ready.splice(0);
  }
  zip.end();
  yield* ready.splice(0);
}

/** The links of a sheet: cells name them by number, a part of its own holds their targets. */
class SheetLinks {
  readonly #cells: string[] = [];
  readonly #targets: string[] = [];

  get isEmpty(): boolean {
    return this.#cells.length === 0;
  }

  add(cell: string, target: string): void {
    if (this.#cells.length >= MAX_LINKS) return;
    this.#cells.push(cell);
    this.#targets.push(target);
  }

  elements(): string {
    if (this.isEmpty) return '';
    const links = this.#cells.map((cell, at) => `<hyperlink ref="${cell}" r:id="rId${at + 1}"/>`);
    return `<hyperlinks>${links.join('')}</hyperlinks>`;
  }

  relationships(): string {
    const links = this.#targets.map(
      (target, at) =>
        `<Relationship Id="rId${at + 1}" Type="${RELATIONSHIPS}/hyperlink" Target="${markup(target).replaceAll('"', '&quot;')}" TargetMode="External"/>`,
    );
    return `${XML}<Relationships xmlns="${PACKAGE}/relationships">${links.join('')}</Relationships>`;
  }
}

/** Where a cell leads: a web page, or a new message. Null for text. */
function linkOf(text: string): string | null {
  if (/^https?:/i.test(text)) {
    const target = parseUrl(text)?.href;
    return target && target.length <= MAX_LINK ? target : null;
  }
  return /^[^\s@:;,<>"?&]+@[^\s@:;,<>"?&]+\.[^\s@:;,<>"?&]+$/.test(text)
    ? `mailto:${encodeURI(text.toWellFormed())}`
    : null;
}

const PLAIN = 0;
const HEADING = 1;
const LINK = 2;
const NUMBER = 3;

function row(
  columns: readonly string[],
  cells: readonly string[],
  number: number,
  style: number,
  links: SheetLinks | null,
): string {
  const filled = cells.map((text, index) => {
    if (text === '') return '';
    const column = columns[index] ?? '';
    const place = `${columnName(index)}${number}`;
    if (links && isNumeric(column)) return `<c r="${place}" s="${NUMBER}"><v>${Number(text)}</v></c>`;
    const target = links && LINKED.has(column) ? linkOf(text) : null;
    if (target !== null) links?.add(place, target);
    const look = target === null ? style : LINK;
    return `<c r="${place}" s="${look}" t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;
  });
  return `<row r="${number}">${filled.join('')}</row>`;
}

/** A to Z, then AA and on. */
const columnName = (index: number): string =>
  index < 26
    ? String.fromCharCode(65 + index)
    : columnName(Math.floor(index / 26) - 1) + String.fromCharCode(65 + (index % 26));

const markup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** XML 1.0 cannot represent most control characters, not even escaped. */
const escaped = (text: string): string =>
  markup(
    text
      .slice(0, MAX_CELL)
      .toWellFormed()
      .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
      // Workbooks write such characters as `_x0041_`, so text that looks like one needs its
      // underscore escaped.
      .replace(/_(?=x[0-9A-F]{4}_)/gi, '_x005F_'),
  );

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

const sheetBegin = (columns: readonly string[]): string => {
  const widths = columns.map(
    (name, index) =>
      `<col min="${index + 1}" max="${index + 1}" width="${WIDE[name] ?? 18}" customWidth="1"/>`,
  );
  return `${XML}<worksheet xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${widths.join('')}</cols><sheetData>`;
};

const eachSheet = (write: (number: number, sheet: Sheet) => string): string =>
  SHEETS.map((sheet, index) => write(index + 1, sheet)).join('');

/** The other parts of a workbook. Number format 49 is text, so edited cells stay text too. */
const PARTS: Record<string, string> = {
  '[Content_Types].xml': `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/>${eachSheet((number) => `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${TYPE}.worksheet+xml"/>`)}<Override PartName="/xl/styles.xml" ContentType="${TYPE}.styles+xml"/></Types>`,
  '_rels/.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  'xl/workbook.xml': `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}"><sheets>${eachSheet((number, { name }) => `<sheet name="${name}" sheetId="${number}" r:id="rId${number}"/>`)}</sheets></workbook>`,
  'xl/_rels/workbook.xml.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships">${eachSheet((number) => `<Relationship Id="rId${number}" Type="${RELATIONSHIPS}/worksheet" Target="worksheets/sheet${number}.xml"/>`)}<Relationship Id="rId${SHEETS.length + 1}" Type="${RELATIONSHIPS}/styles" Target="styles.xml"/></Relationships>`,
  'xl/styles.xml': `${XML}<styleSheet xmlns="${MAIN}"><fonts count="3"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font><font><u/><sz val="11"/><color rgb="FF0563C1"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/><xf numFmtId="49" fontId="2" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/><xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`,
};
