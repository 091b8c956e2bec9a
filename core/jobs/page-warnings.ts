import type { ErrorInfo } from '../errors.ts';

/**
 * What a page lacks although it was loaded: `error` is null, and `warnings` say it. The codes are
 * part of the public contract.
 */
export const PAGE_WARNINGS = {
  screenshot_cut: 'the page is larger than its screenshot',
  pdf_cut: 'the page is longer than its PDF',
  frames_missing: 'some frames of the page could not be read',
  still_loading: 'the page was still loading when it was read',
  no_text: 'the page has no text',
} as const satisfies Record<string, string>;

export type PageWarningCode = keyof typeof PAGE_WARNINGS;

/** @param message replaces the default message of the code */
export const pageWarning = (code: PageWarningCode, message?: string): ErrorInfo => ({
  code,
  message: message ?? PAGE_WARNINGS[code],
});

export const framesMissing = (count: number): ErrorInfo =>
  pageWarning(
    'frames_missing',
    count === 1 ? 'a frame of the page could not be read' : `${count} frames of the page could not be read`,
  );
