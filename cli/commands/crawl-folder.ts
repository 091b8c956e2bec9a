import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from '../../sdk/src/index.ts';
import { Failure } from '../failure.ts';

/** What a folder says of the crawl that fills it; kept in it as `.leadengine.json`. */
export interface CrawlState {
  url: string;
  server: string;
  job_id: string;
  finished: boolean;
  /** By address: its file, and the hash of what was written. */
  pages: Record<string, { file: string; hash: string }>;
  /** Addresses of the walk under way; the others are of the one before. */
  seen: string[];
}

export interface Written {
  url: string;
  file: string;
  change: 'new' | 'changed' | 'unchanged';
}

const STATE = '.leadengine.json';
const ENDINGS: Record<string, string> = { markdown: '.md', text: '.txt', html: '.html', raw_html: '.html' };
/** Pages between two writes of the state; those after the last are written again. */
const SAVE_EVERY = 25;

/** A folder with one file per page of a site, and what is needed to go on with it. */
export class CrawlFolder {
  readonly #seen: Set<string>;
  #unsaved = 0;
  #changes = { new: 0, changed: 0, unchanged: 0 };

  private constructor(
    readonly path: string,
    public state: CrawlState | null,
  ) {
    this.#seen = new Set(state?.seen);
  }

  /** @throws Failure if it holds the crawl of another site */
  static async open(path: string, { url, fresh }: { url: string; fresh: boolean }): Promise<CrawlFolder> {
    await mkdir(path, { recursive: true });
    const text = await readFile(join(path, STATE), 'utf8').catch(() => null);
    if (text === null || fresh) return new CrawlFolder(path, null);
    let state: CrawlState;
    try {
      state = JSON.parse(text) as CrawlState;
    } catch {
      throw new Failure(`${join(path, STATE)} cannot be read: use --fresh to begin again`);
    }
    if (state.url === url) return new CrawlFolder(path, state);
    throw new Failure(`${path} holds a crawl of ${state.url}: use another folder, or --fresh to begin again`);
  }

  /** A new walk. What the one before wrote is known, so that changes are seen. */
  async begin(walk: Pick<CrawlState, 'url' | 'server' | 'job_id'>): Promise<CrawlState> {
    this.#seen.clear();
    this.state = { ...walk, finished: false, pages: this.state?.pages ?? {}, seen: [] };
    await this.save();
    return this.state;
  }

  /** Writes the page unless its file has it already. */
  async write(page: Page, format: string): Promise<Written> {
    const { pages } = this.#begun();
    const known = pages[page.url];
    const file = known?.file ?? unusedName(fileName(page.url, ENDINGS[format] ?? '.json'), pages);
    const content = contentOf(page, format);
    const hash = createHash('sha256').update(content).digest('base64url');
    const change = known ? (known.hash === hash ? 'unchanged' : 'changed') : 'new';
    if (change !== 'unchanged') {
      const target = join(this.path, file);
      await mkdir(dirname(target), { recursive: true });
      // A page is in its file whole, or not at all.
      await writeFile(`${target}.part`, content);
      await rename(`${target}.part`, target);
      pages[page.url] = { file, hash };
    }
    if (!this.#seen.has(page.url)) this.#changes[change] += 1;
    this.#seen.add(page.url);
    this.#unsaved += 1;
    if (this.#unsaved >= SAVE_EVERY) await this.save();
    return { url: page.url, file, change };
  }

  async save(): Promise<void> {
    if (!this.state) return;
    this.#unsaved = 0;
    this.state.seen = [...this.#seen];
    const file = join(this.path, STATE);
    await writeFile(`${file}.part`, `${JSON.stringify(this.state)}\n`);
    await rename(`${file}.part`, file);
  }

  /** The walk is over. Files of pages that are no longer there stay. */
  async finish(): Promise<{ added: number; changed: number; same: number; gone: number }> {
    const state = this.#begun();
    state.finished = true;
    await this.save();
    const gone = Object.keys(state.pages).filter((url) => !this.#seen.has(url)).length;
    const { new: added, changed, unchanged: same } = this.#changes;
    return { added, changed, same, gone };
  }

  #begun(): CrawlState {
    if (!this.state) throw new Error('the crawl was not begun');
    return this.state;
  }
}

function contentOf(page: Page, format: string): string {
  if (ENDINGS[format] === undefined) return `${JSON.stringify(page, null, 2)}\n`;
  const text = String(page[format as 'markdown'] ?? '').replace(/\n*$/, '\n');
  return format === 'markdown' ? `${frontMatter(page)}${text}` : text;
}

/** Where the text is from, as static site generators and loaders of documents read it. */
function frontMatter({ url, title, metadata }: Page): string {
  const modified = metadata?.modified ?? metadata?.published;
  const lines = [
    `url: ${JSON.stringify(url)}`,
    ...(title ? [`title: ${JSON.stringify(title)}`] : []),
    ...(typeof modified === 'string' ? [`date: ${JSON.stringify(modified)}`] : []),
  ];
  return ['---', ...lines, '---', '', ''].join('\n');
}

/** Most file systems allow 255 bytes. */
const LONGEST = 120;

/** `docs/intro.md` of `https://example.com/docs/intro.html?a=1`, safe on every system. */
export function fileName(url: string, ending: string): string {
  const { hostname, pathname, search, hash } = new URL(url);
  let path = pathname;
  try {
    path = decodeURI(pathname);
  } catch {
    // Kept as it is written.
  }
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  if (path.endsWith('/') || parts.length === 0) parts.push('index');
  const last = (parts.pop() ?? 'index').replace(/\.(html?|php|aspx?|md|txt)$/i, '');
  const query = search + hash;
  const name = query === '' ? last : `${last}-${shortHash(query)}`;
  return [...parts, name].map((part) => safe(part) || safe(hostname)).join('/') + ending;
}

/** Names that Windows keeps for devices. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

function safe(part: string): string {
  const plain = part
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no file name has them
    .replace(/[<>:"|?*\\\x00-\x1f\x7f]+/g, '-')
    .replace(/[. ]+$/, '')
    .replace(/^\./, '-');
  const short = plain.length > LONGEST ? `${plain.slice(0, LONGEST)}-${shortHash(part)}` : plain;
  return DEVICES.test(short) ? `${short}-` : short;
}

const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** Two addresses may have one name: of a different case, or with and without `.html`. */
function unusedName(name: string, pages: CrawlState['pages']): string {
  const used = new Set(Object.values(pages).map(({ file }) => file.toLowerCase()));
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : name.replace(/(\.\w+)$/, `-${number}$1`);
    if (!used.has(candidate.toLowerCase())) return candidate;
  }
}
