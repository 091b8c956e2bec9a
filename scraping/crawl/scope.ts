import { getDomain } from 'tldts';
import { compileGlob, type Glob } from './glob.ts';

export { compileGlob };

/** Which addresses belong to a crawl. */
export interface CrawlScope {
  /** Whether a link to this address is followed. */
  includes(url: string): boolean;
  /** Whether it is of the same site, whatever the patterns say. */
  isSameSite(url: string): boolean;
  /** A seed that redirected: where it led to is what was meant. */
  extendTo(url: string): void;
}

export interface CrawlScopeOptions {
  /** Followed only if one of them fits; none given, everything is. See `compileGlob`. */
  include?: string[];
  /** Not followed if one of them fits, whatever `include` says. */
  exclude?: string[];
  /** False: also the subdomains of the seeds' registrable domains, by http and https. */
  sameOrigin: boolean;
}

/** Links to them are no pages. What is only called so is found out when it is loaded. */
const FILES =
  /\.(avif|bmp|gif|ico|jpe?g|png|svgz?|tiff?|webp|css|m?js|json|map|woff2?|ttf|otf|eot|mp[34]|m4[av]|avi|mov|mkv|ogg|og[av]|wav|flac|webm|zip|gz|tgz|bz2|xz|7z|rar|tar|deb|rpm|dmg|exe|msi|apk|iso|bin|jar|pdf|docx?|xlsx?|pptx?|od[tsp]|epub|psd|rss|atom|ics|torrent|swf)$/i;

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

/** `example.co.uk` of `https://shop.example.co.uk/`; addresses and names without a public suffix stand for themselves. */
const domainOf = (url: string): string => {
  const { hostname } = new URL(url);
  return getDomain(hostname, { allowPrivateDomains: true }) ?? hostname;
};
