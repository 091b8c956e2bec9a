import { escapeHtml } from '../../../core/escape-html.ts';
import { authorsIn, type FilePage, titleIn } from './file-page.ts';
import { rowsAsTable } from './table.ts';

/** Groups whose text is no content. */
const LEFT_OUT = new Set(
  'fonttbl colortbl stylesheet listtable listoverridetable revtbl rsidtbl generator info pict object themedata colorschememapping datastore latentstyles xmlnstbl mmathPr header footer headerl headerr headerf footerl footerr footerf fldinst bkmkstart bkmkend panose falt filetbl pgptbl nonshppict wgrffmtfilter'.split(
    ' ',
  ),
);
/** Windows code pages by `\ansicpg`. */
const CODE_PAGES: Readonly<Record<string, string>> = {
  ...{
    932: 'shift_jis',
    936: 'gbk',
    949: 'euc-kr',
    950: 'big5',
    874: 'windows-874',
    65001: 'utf-8',
    10000: 'macintosh',
  },
  ...{ 866: 'ibm866', 20866: 'koi8-r' },
};
const SYMBOLS: Readonly<Record<string, string>> = {
  ...{
    emdash: '—',
    endash: '–',
    lquote: '‘',
    rquote: '’',
    ldblquote: '“',
    rdblquote: '”',
    bullet: '•',
    tab: ' ',
  },
  ...{ emspace: ' ', enspace: ' ' },
};
const MAX_GROUPS = 1000;

interface Group {
  isLeftOut: boolean;
  /** Characters that stand for a `\u` character in older readers. */
  fallback: number;
  /** The field of `info` it holds. */
  info: string | null;
}

/** An RTF as a page: paragraphs and tables. */
export function rtfAsPage(bytes: Uint8Array): FilePage {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const reader = new RtfReader(source);
  reader.read();
  return {
    body: reader.html,
    about: {
      title: titleIn(reader.info.get('title')),
      authors: authorsIn(reader.info.get('author')),
      description: reader.info.get('subject') || undefined,
      keywords: reader.info.get('keywords') || undefined,
    },
    error: null,
  };
}

const TOKEN = /\\([a-z]+)(-?\d{1,10})?[ ]?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)/giy;

class RtfReader {
  readonly info = new Map<string, string>();
  #html: string[] = [];
  #paragraph = '';
  #cells: string[] = [];
  #rows: string[][] = [];
  #isTable = false;
  #skipped = 0;
  #encoded: number[] = [];
  #decoder = new TextDecoder('windows-1252');

  constructor(private readonly source: string) {}

  get html(): string {
    return this.#html.join('\n');
  }

  read(): void {
    const groups: Group[] = [{ isLeftOut: false, fallback: 1, info: null }];
    let isStarred = false;
    TOKEN.lastIndex = 0;
    for (let found = TOKEN.exec(this.source); found; found = TOKEN.exec(this.source)) {
      const [, word, number, hex, symbol, brace, text] = found;
      const group = groups.at(-1);
      if (!group) break;
      if (hex === undefined) this.#decode(group);
      if (brace === '{') {
        if (groups.length > MAX_GROUPS) break;
        groups.push({ ...group });
        this.#skipped = 0;
      } else if (brace === '}') {
        groups.pop();
        this.#skipped = 0;
      } else if (symbol === '*') isStarred = true;
      else if (word !== undefined) {
        const name = word.toLowerCase() === word ? word : word;
        if (isStarred && name !== 'fldrslt' && name !== 'shpinst') group.isLeftOut = true;
        isStarred = false;
        this.#word(name, number === undefined ? null : Number(number), group);
        if (name === 'bin' && number) TOKEN.lastIndex += Math.max(0, Number(number));
      } else if (hex !== undefined) {
        if (this.#skipped > 0) this.#skipped -= 1;
        else this.#encoded.push(Number.parseInt(hex, 16));
      } else if (symbol === '~') this.#text('\u00a0', group);
      else if (symbol === '_') this.#text('-', group);
      else if (symbol === '\\' || symbol === '{' || symbol === '}') this.#text(symbol, group);
      else if (symbol === '\r' || symbol === '\n') this.#endParagraph();
      else if (text !== undefined) {
        const kept = text.slice(this.#skipped);
        this.#skipped = Math.max(0, this.#skipped - text.length);
        this.#text(kept, group);
      }
    }
    this.#endParagraph();
    this.#endTable();
  }

  #word(name: string, number: number | null, group: Group): void {
    if (LEFT_OUT.has(name)) {
      group.isLeftOut = true;
      return;
    }
    if (/^(title|author|subject|keywords)$/.test(name)) group.info = group.isLeftOut ? name : null;
    else if (name === 'ansicpg' && number !== null) {
      const label = CODE_PAGES[number] ?? `windows-${number}`;
      if (/^windows-(125\d|874)$/.test(label) || CODE_PAGES[number]) this.#decoder = new TextDecoder(label);
    } else if (name === 'uc') group.fallback = Math.min(10, Math.max(0, number ?? 1));
    else if (name === 'u' && number !== null) {
      this.#text(String.fromCharCode(number & 0xffff), group);
      this.#skipped = group.fallback;
    } else if (group.isLeftOut) return;
    else if (name === 'par' || name === 'sect' || name === 'page') this.#endParagraph();
    else if (name === 'line') this.#paragraph += '<br>';
    else if (name === 'intbl') this.#isTable = true;
    else if (name === 'pard') this.#isTable = false;
    else if (name === 'cell') {
      this.#cells.push(this.#paragraph.trim());
      this.#paragraph = '';
    } else if (name === 'row') {
      this.#rows.push(this.#cells);
      this.#cells = [];
    } else if (SYMBOLS[name]) this.#text(SYMBOLS[name] ?? '', group);
  }

  #text(text: string, group: Group): void {
    if (group.info !== null)
      this.info.set(group.info, `${this.info.get(group.info) ?? ''}${text}`.slice(0, 1000));
    else if (!group.isLeftOut) this.#paragraph += escapeHtml(text);
  }

  #decode(group: Group): void {
    if (this.#encoded.length === 0) return;
    const text = this.#decoder.decode(Uint8Array.from(this.#encoded));
    this.#encoded = [];
    this.#text(text, group);
  }

  #endParagraph(): void {
    if (this.#isTable || this.#cells.length > 0) {
      if (this.#paragraph !== '') this.#paragraph += '<br>';
      return;
    }
    this.#endTable();
    const text = this.#paragraph.trim();
    if (text !== '') this.#html.push(`<p>${text}</p>`);
    this.#paragraph = '';
  }

  #endTable(): void {
    if (this.#rows.length > 0) this.#html.push(rowsAsTable(this.#rows));
    this.#rows = [];
  }
}
