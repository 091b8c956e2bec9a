import type { OnUrl, SitemapReader } from './sitemap-reader.ts';

/** Longer lines are skipped and not buffered. */
const LONGEST_LINE = 8192;

/**
 * Reads a text sitemap: one URL per line. Other lines are skipped; a file without any URL is no
 * sitemap.
 */
export function createSitemapLines(onUrl: OnUrl): SitemapReader {
  let rest = '';
  let isAny = false;
  const take = (line: string): boolean => {
    const address = line.length > LONGEST_LINE ? '' : line.trim();
    if (!/^https?:\/\/\S+$/i.test(address)) return true;
    isAny = true;
    return onUrl('pages', address);
  };
  return {
    write(text) {
      let from = 0;
      for (let end = lineEnd(text, from); end >= 0; end = lineEnd(text, from)) {
        if (!take(rest + text.slice(from, end))) return false;
        rest = '';
        from = end + 1;
      }
      if (rest.length <= LONGEST_LINE) rest += text.slice(from);
      return true;
    },
    end() {
      take(rest);
      return isAny;
    },
  };
}

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d) return at;
  }
  return -1;
}
