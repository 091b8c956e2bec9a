import { PageFailure, pageError } from '../../../../core/jobs/page-errors.ts';
import { authorsIn, type FilePage, titleIn } from '../file-page.ts';
import type { FileLimits } from '../limits.ts';
import { type LinkAnnotation, linkAreas, linkedParts } from './links.ts';
import type { PageText, Piece, StructureNode } from './pieces.ts';
import { withoutRunningLines } from './running-lines.ts';
import { taggedAsHtml } from './tagged.ts';
import { pageAsHtml, sizesOf } from './untagged.ts';

/**
 * A PDF as a page: by its structure tree if it is tagged, else by where its text stands.
 *
 * @throws PageFailure `file_encrypted`, `file_unreadable`
 */
export async function pdfAsPage(bytes: Uint8Array, limits: FileLimits): Promise<FilePage> {
  // 2 MB that only PDFs need.
  const { getDocument } = await import('unpdf/pdfjs');
  const loading = getDocument({
    // pdf.js takes the buffer away from its owner.
    data: Uint8Array.from(bytes),
    isEvalSupported: false,
    useSystemFonts: false,
    disableFontFace: true,
    useWasm: false,
    verbosity: 0,
  });
  try {
    const document = await loading.promise;
    const { info, metadata } = await document.getMetadata();
    const count = Math.min(document.numPages, limits.pages);
    const pages: PageText[] = [];
    let isLong = false;
    for (let number = 1; number <= count && !isLong; number += 1) {
      const page = await document.getPage(number);
      pages.push(await readPage(page as unknown as PdfPage));
      page.cleanup();
      isLong = pages.reduce((sum, { pieces }) => sum + pieces.length, 0) > MAX_PIECES;
    }
    const texts = withoutRunningLines(pages);
    const sizes = sizesOf(texts.map(({ pieces }) => pieces));
    const body = texts.map(
      ({ pieces, tree }) => (tree && taggedAsHtml(tree, pieces)) ?? pageAsHtml(pieces, sizes),
    );
    const about = info as Readonly<Record<string, unknown>>;
    const xmp = (name: string) => metadata?.get(name) as string | string[] | null | undefined;
    const hasText = texts.some(({ pieces }) => pieces.length > 0);
    return {
      body: body.join('\n'),
      about: {
        title: titleIn(text(about.Title)) ?? titleIn([xmp('dc:title')].flat()[0]),
        authors: authorsIn(text(about.Author) || [xmp('dc:creator') ?? []].flat().join(';')),
        description: text(about.Subject),
        keywords: text(about.Keywords),
        language: languageOf(about.Language),
        published: pdfDate(text(about.CreationDate)),
        modified: pdfDate(text(about.ModDate)),
        generator: text(about.Creator) ?? text(about.Producer),
        counts: { pages: document.numPages },
      },
      error: !hasText
        ? noText(document.numPages)
        : pages.length < document.numPages
          ? cut(pages.length, document.numPages)
          : null,
    };
  } catch (error) {
    if (error instanceof PageFailure) throw error;
    const isLocked = error instanceof Error && error.name === 'PasswordException';
    throw new PageFailure(isLocked ? 'file_encrypted' : 'file_unreadable', undefined, { cause: error });
  } finally {
    await loading.destroy().catch(() => {});
  }
}

/** Pieces of text of a document: a bound for what its layout takes. */
const MAX_PIECES = 1_000_000;

/** Ligatures and the shapes of Arabic letters: fonts name what they draw. */
const SHAPES = /[\ufb00-\ufb06\ufb50-\ufdff\ufe70-\ufefc]/g;

const noText = (pages: number) =>
  pageError(
    'file_without_text',
    `the PDF has no text: its ${pages === 1 ? 'page is a picture' : `${pages} pages are pictures`}, such as a scan`,
  );
const cut = (read: number, pages: number) =>
  pageError('page_too_large', `only the first ${read} of ${pages} pages of the file are read`);

interface PdfPage {
  getViewport(options: { scale: number }): {
    transform: number[];
    convertToViewportPoint(x: number, y: number): number[];
    height: number;
  };
  getTextContent(
    options: object,
  ): Promise<{ items: TextItem[]; styles: Record<string, { vertical?: boolean }> }>;
  getAnnotations(): Promise<LinkAnnotation[]>;
  getStructTree(): Promise<StructureNode | null>;
}

interface TextItem {
  type?: string;
  id?: string | null;
  str?: string;
  dir?: string;
  width?: number;
  height?: number;
  transform?: number[];
}

async function readPage(page: PdfPage): Promise<PageText> {
  const viewport = page.getViewport({ scale: 1 });
  const content = await page.getTextContent({ includeMarkedContent: true });
  const links = linkAreas(await page.getAnnotations().catch(() => []), viewport);
  const pieces: Piece[] = [];
  const marks: (string | null)[] = [];
  for (const item of content.items) {
    if (item.type === 'beginMarkedContentProps' || item.type === 'beginMarkedContent')
      marks.push(item.id ?? marks.at(-1) ?? null);
    else if (item.type === 'endMarkedContent') marks.pop();
    const { str = '', transform = [], width = 0 } = item;
    if (str.trim() === '') continue;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = transform;
    const size = Math.hypot(c, d) || Math.hypot(a, b) || 1;
    const [x = 0, y = 0] = viewport.convertToViewportPoint(e, f);
    const [endX = 0, endY = 0] = viewport.convertToViewportPoint(
      e + (a / (Math.hypot(a, b) || 1)) * width,
      f + (b / (Math.hypot(a, b) || 1)) * width,
    );
    const isRightToLeft = item.dir === 'rtl';
    const isLevel = Math.abs(endY - y) <= Math.abs(endX - x) || width === 0;
    // Text that runs up or down the page stands behind the rest, line by line.
    const place = isLevel
      ? { x: Math.min(x, endX), y, width: Math.abs(endX - x) }
      : { x, y: viewport.height * 2 + pieces.length * size * 3, width: str.length * size * 0.5 };
    const piece = {
      text: str.replace(SHAPES, (shape) => shape.normalize('NFKC')),
      ...place,
      size,
      isRightToLeft,
      href: null,
      mark: marks.at(-1) ?? null,
    };
    pieces.push(...linkedParts(piece, isLevel ? links : []));
  }
  const tree = await page.getStructTree().catch(() => null);
  return { pieces, height: viewport.height, tree };
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 1000) : undefined;

const languageOf = (value: unknown): string | undefined => {
  const language = text(value);
  return language && /^[a-z]{2,3}(-[\w-]{1,20})?$/i.test(language) ? language : undefined;
};

/** `D:20260304120000+01'00'` as ISO 8601. */
export function pdfDate(value: string | undefined): string | undefined {
  const found = /^(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z|[+-]\d\d)'?(\d\d)?)?/.exec(
    value ?? '',
  );
  if (!found) return undefined;
  const [, year, month = '01', day = '01', hour, minute = '00', second = '00', zone, zoneMinutes = '00'] =
    found;
  const date = `${year}-${month}-${day}`;
  const moment =
    hour === undefined
      ? date
      : `${date}T${hour}:${minute}:${second}${zone ? (zone === 'Z' ? 'Z' : `${zone}:${zoneMinutes}`) : ''}`;
  return Number.isNaN(Date.parse(moment)) ? undefined : moment;
}
