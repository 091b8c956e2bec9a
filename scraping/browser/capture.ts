import type { Artifact } from '../../core/jobs/page.ts';
import type { Tab } from './tab.ts';

/**
 * Screenshots and PDFs of a page. Larger pages are cut: an endless page would give an image of any
 * size.
 */

const MAX_PICTURE_HEIGHT = 16_384;
const MAX_PICTURE_WIDTH = 4096;

/** A PNG of the whole page or of the viewport. */
export async function takeScreenshot(tab: Tab, kind: Artifact['kind'], fullPage: boolean): Promise<Artifact> {
  const { cssContentSize, cssVisualViewport } = await tab.cdp.send('Page.getLayoutMetrics');
  const clip = fullPage
    ? {
        x: 0,
        y: 0,
        width: Math.min(Math.max(cssContentSize.width, 1), MAX_PICTURE_WIDTH),
        height: Math.min(Math.max(cssContentSize.height, 1), MAX_PICTURE_HEIGHT),
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
  return { kind, contentType: 'image/png', body: Buffer.from(data, 'base64') };
}

const MAX_PDF_PAGES = 200;

export async function printPdf(tab: Tab): Promise<Artifact> {
  const print = (pageRanges: string) => tab.page.pdf({ format: 'A4', printBackground: true, pageRanges });
  const body = await print(`1-${MAX_PDF_PAGES}`);
  return { kind: 'pdf', contentType: 'application/pdf', body };
}
