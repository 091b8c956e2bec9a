import { getDomain } from 'tldts';
import { compileGlob, type Glob } from './glob.ts';

export { compileGlob };

/** Which URLs belong to a crawl. */
export interface CrawlScope {
  /** Whether a link to this URL is followed. */
  includes(url: string): boolean;
  /** Whether it is on a site of the crawl, regardless of the patterns. */
  isSameSite(url: string): boolean;
  /** Adds the site to which a seed redirected. */
  extendTo(url: string): void;
}

export interface CrawlScopeOptions {
  /** Only URLs that match one of these are followed; none: all are. See `compileGlob`. */
  include?: string[];
  /** URLs that match one of these are not followed; takes precedence over `include`. */
  exclude?: string[];
  /** False: all subdomains of the seeds' registrable domains, over http and https. */
  sameOrigin: boolean;
}

/** Extensions of files that are not read as pages. Others, such as PDF and DOCX, are. */
const FILES =
  /\.(avif|bmp|gif|ico|jpe?g|png|svgz?|tiff?|webp|css|m?js|json|map|woff2?|ttf|otf|eot|mp[34]|m4[av]|avi|mov|mkv|ogg|og[av]|wav|flac|webm|zip|gz|tgz|bz2|xz|7z|rar|tar|deb|rpm|dmg|exe|msi|apk|iso|bin|jar|doc|ppt|psd|rss|atom|ics|torrent|swf)$/i;

export function createScope(seeds: string[], options: CrawlScopeOptions): CrawlScope {
  const include = (options.include ?? []).map(compileGlob);
  const exclude = (options.exclude ?? []).map(compileGlob);
  const siteOf = options.sameOrigin ? originOf : domainOf;
  const sites = new Set(seeds.map(siteOf));
  const isSameSite = (url: string) => sites.has(siteOf(url));
  const fits = (globs: Glob[], url: string) => globs.some((glob) => glob(url));

  return {
    isSameSite,
    includes: (url) =>
      isSameSite(url) &&
      !FILES.test(new URL(url).pathname) &&
      (include.length === 0 || fits(include, url)) &&
      !fits(exclude, url),
    extendTo: (url) => sites.add(siteOf(url)),
  };
}

const originOf = (url: string): string => new URL(url).origin;

/**
 * `example.co.uk` of `https://shop.example.co.uk/`; IP addresses and names without a public suffix
 * as they are.
 */
const domainOf = (url: string): string => {
  const { hostname } = new URL(url);
  return getDomain(hostname, { allowPrivateDomains: true }) ?? hostname;
};
