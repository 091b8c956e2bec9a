import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '../../core/jobs/page.ts';
import { parseUrl } from '../../core/parse-url.ts';
import { createLogger } from '../../runtime/log/logger.ts';
import { createBrowserPool } from '../../scraping/browser/pool.ts';
import { findChromium } from '../../scraping/browser/process/chromium.ts';
import { createEgressGuard } from '../../scraping/egress/guard.ts';
import { createProxyHealth } from '../../scraping/egress/upstream-proxy.ts';
import { openPageEngine } from '../../scraping/engine/page-engine.ts';
import { createRenderingTypeCache } from '../../scraping/engine/rendering-type-cache.ts';
import type { ContentScope } from '../../scraping/extraction/content/select-blocks.ts';
import type { Format } from '../../scraping/extraction/extract.ts';
import { createExtractor } from '../../scraping/extraction/extractor.ts';
import type { ScrapeSpec } from '../../scraping/fetching/page.ts';
import { createHttpClient } from '../../scraping/http/client.ts';

export interface SavedPage {
  url: string;
  html: string;
}

export interface ReadOptions {
  /** Default true, as in a job. */
  mainContent?: boolean | ContentScope;
}

/** Reads saved pages as a job does. */
export interface PageReader {
  name: 'html' | 'browser';
  read(page: SavedPage, formats: readonly Format[], options?: ReadOptions): Promise<Partial<Page>>;
  stop(): Promise<void>;
}

/** Reads the HTML as saved, in extraction threads: cost and result without a browser. */
export function createHtmlReader(): PageReader {
  const extractor = createExtractor();
  const never = new AbortController().signal;
  return {
    name: 'html',
    read: ({ url, html }, formats, { mainContent = true } = {}) =>
      extractor.extract({ html, url, title: '', charset: 'UTF-8', formats, mainContent }, never),
    stop: () => extractor.stop(),
  };
}

/**
 * The same through Chromium, as a job with `render: browser` has it: pages come from a server on
 * loopback, and the egress guard lets them reach nothing else, so what they would load from
 * elsewhere is missing.
 */
export async function createBrowserReader(): Promise<PageReader> {
  const executablePath = findChromium(process.env.CHROMIUM_PATH);
  if (!executablePath) throw new Error('no Chromium found: set CHROMIUM_PATH');
  const saved = new Map<string, string>();
  const server = createServer((request, response) => {
    const html = saved.get(request.url ?? '');
    response.writeHead(html === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const logger = createLogger(
    { level: 'error', format: 'json', processKind: 'bench' },
    (line) => void process.stderr.write(`${line}\n`),
  );
  const egress = createEgressGuard({ allow: [host], logger });
  const browser = createBrowserPool({ executablePath, egress, logger });
  const http = createHttpClient({
    ...{ guard: egress, userAgent: 'LeadEngine', logger },
    proxyHealth: createProxyHealth(),
  });
  // Unused: every page goes to the browser.
  const renderingTypes = createRenderingTypeCache({ find: async () => null, record: async () => {} }, logger);
  await browser.start();
  let count = 0;
  return {
    name: 'browser',
    async read({ url, html }, formats, { mainContent = true } = {}) {
      count += 1;
      // Some pages were saved without their URL.
      const path = `/${count}${parseUrl(url)?.pathname ?? '/'}`;
      saved.set(path, html);
      const context = {
        browser,
        http,
        renderingTypes,
        logger,
        pageTimeoutMs: 60_000,
        maxPageBytes: 50_000_000,
      };
      const spec: ScrapeSpec = { formats: [...formats], main_content: mainContent, render: 'browser' };
      const signal = new AbortController().signal;
      const engine = openPageEngine(spec, { ...context, signal, isOnlyPage: true });
      try {
        return (await engine.scrape(`http://${host}${path}`)).page;
      } finally {
        saved.delete(path);
        // Not awaited: closing a hung page may take seconds, and the pool waits for it when it stops.
        void engine.close();
      }
    },
    async stop() {
      await browser.stop();
      await http.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
