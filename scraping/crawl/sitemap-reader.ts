/** The URLs in a sitemap file: of pages and of further sitemaps. */
export interface Sitemap {
  pages: string[];
  sitemaps: string[];
}

/** Reads a file's text in chunks. */
export interface SitemapReader {
  /** @returns false once the reader needs no more */
  write(text: string): boolean;
  /** @returns whether the file had the expected format */
  end(): boolean;
}

/** Called with each URL as written; returns false once there are enough. */
export type OnUrl = (kind: keyof Sitemap, address: string) => boolean;
