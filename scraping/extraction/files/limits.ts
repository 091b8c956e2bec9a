/** Limits for one file, beside those for a page's bytes and time. */
export interface FileLimits {
  /** Pages of a PDF, slides, chapters: more are left out. */
  pages: number;
  /** Table rows of a spreadsheet or CSV: more are left out. */
  rows: number;
  /** What an archive such as a DOCX may unpack to. */
  unpackedBytes: number;
}

export const DEFAULT_FILE_LIMITS: FileLimits = { pages: 500, rows: 10_000, unpackedBytes: 100 * 1024 * 1024 };
