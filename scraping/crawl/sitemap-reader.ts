/** What a sitemap file holds: addresses of pages, or of further sitemaps. */
export interface Sitemap {
  pages: string[];
  sitemaps: string[];
}

/** Takes a file's text in pieces. */
export interface SitemapReader {
  /** False once nothing more is wanted. */
  write(text: string): boolean;
  /** Whether it was what it was taken for. */
  end(): boolean;
}

/** Called with each address as it is written; false once there are enough. */
export type OnAddress = (kind: keyof Sitemap, address: string) => boolean;
