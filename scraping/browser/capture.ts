import type { ErrorInfo } from '../../core/errors.ts';
import type { Artifact } from '../../core/jobs/page.ts';
import { pageWarning } from '../../core/jobs/page-warnings.ts';
import type { Tab } from './tab.ts';

/**
 * Screenshots and PDFs of a page. Larger pages are cut, with a warning: an endless page would give
 * an image of any size.
 */

/** What was taken of a page. */
export interface Taken {
  artifacts: Artifact[];
  warnings: ErrorInfo[];
}

interface Capture {
  artifact: Artifact;
  /** Why it does not show the whole page; null if it does. */
  warning: ErrorInfo | null;
}

export function addTaken(taken: Taken, { artifact, warning }: Capture): void {
  taken.artifacts.push(artifact);
  if (warning && !taken.warnings.some(({ message }) => message === warning.message))
    taken.warnings.push(warning);
}

const MAX_PICTURE_HEIGHT = 16_384;
const MAX_PICTURE_WIDTH = 4096;

/** A PNG of the whole page or of the viewport. */
export async function takeScreenshot(tab: Tab, kind: Artifact['kind'], fullPage: boolean): Promise<Capture> {
  const { cssContentSize, cssVisualViewport } = await tab.cdp.send('Page.getLayoutMetrics');
  const { width, height } = cssContentSize;
  const clip = fullPage
    ? {
        x: 0,
        y: 0,
        width: Math.min(Math.max(width, 1), MAX_PICTURE_WIDTH),
        height: Math.min(Math.max(height, 1), MAX_PICTURE_HEIGHT),
        scale: 1,
      }
    : {
        x: cssVisualViewport.pageX,
        y: cssVisualViewport.pageY,
        width: cssVisualViewport.clientWidth,
        height: cssVisualViewport.clientHeight,
        scale: 1,
      };
  const { data } = await tab.cdp.send('Page.captureScreenshot', {
    format: 'png',
    clip,
    captureBeyondViewport: fullPage,
  });
  const isCut = fullPage && (width > MAX_PICTURE_WIDTH || height > MAX_PICTURE_HEIGHT);
  return {
    artifact: { kind, contentType: 'image/png', body: Buffer.from(data, 'base64') },
    warning: isCut
      ? pageWarning(
          'screenshot_cut',
          `the page is ${Math.ceil(width)} x ${Math.ceil(height)} pixels, its ${NAMES[kind]} shows ${clip.width} x ${clip.height}`,
        )
      : null,
  };
}

const NAMES = { screenshot: 'screenshot', action_screenshot: 'action screenshot', pdf: 'PDF' } as const;

const MAX_PDF_PAGES = 200;

export async function printPdf(tab: Tab): Promise<Capture> {
  const print = (pageRanges: string) => tab.page.pdf({ format: 'A4', printBackground: true, pageRanges });
  const body = await print(`1-${MAX_PDF_PAGES}`);
  // Chromium refuses a range beyond the last page.
  const isCut =
    pagesIn(body) >= MAX_PDF_PAGES &&
    (await print(`${MAX_PDF_PAGES + 1}`).then(
      () => true,
      () => false,
    ));
  return {
    artifact: { kind: 'pdf', contentType: 'application/pdf', body },
    warning: isCut ? pageWarning('pdf_cut', `its PDF has the first ${MAX_PDF_PAGES} pages`) : null,
  };
}

const pagesIn = (pdf: Buffer): number => pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
