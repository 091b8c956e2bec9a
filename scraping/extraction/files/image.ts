import { imageSize } from 'image-size';
import { escapeHtml } from '../../../core/escape-html.ts';
import { PageFailure } from '../../../core/jobs/page-errors.ts';
import type { FilePage } from './file-page.ts';

/** A picture: its size, and itself as the content. */
export function imageAsPage(bytes: Uint8Array, url: string): FilePage {
  try {
    const { width, height, type = '', orientation = 1 } = imageSize(Uint8Array.from(bytes));
    if (!(width > 0 && height > 0)) throw new Error('a picture without a size');
    // Cameras store pictures lying on their side.
    const [shownWidth, shownHeight] = orientation >= 5 ? [height, width] : [width, height];
    return {
      body: `<p><img src="${escapeHtml(url)}" alt="" width="${shownWidth}" height="${shownHeight}"></p>`,
      about: { counts: { width: shownWidth, height: shownHeight, format: type === 'jpg' ? 'jpeg' : type } },
      error: null,
    };
  } catch (cause) {
    throw new PageFailure('file_unreadable', undefined, { cause });
  }
}
