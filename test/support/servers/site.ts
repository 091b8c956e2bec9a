import { readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

export interface Site {
  /** For example `http://127.0.0.1:40123`, without a slash at the end. */
  url: string;
  /** `127.0.0.1:40123`, as EGRESS_ALLOW wants it. */
  authority: string;
  port: number;
  /** Requested paths with their query, in order. */
  requests: string[];
  close(): Promise<void>;
}

export type SiteHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/**
 * A small web site on loopback.
 *
 * @param dir a folder of static files; `/` is its `index.html`
 * @param pages by path without query: HTML, or a handler for anything else; they take precedence
 * over files
 * @param otherwise answers paths that are not in `pages`, instead of files
 */
export async function startSite({
  dir,
  pages = {},
  otherwise,
}: {
  dir?: string;
  pages?: Record<string, string | SiteHandler>;
  otherwise?: SiteHandler;
}): Promise<Site> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://site').pathname);
    requests.push(request.url ?? '/');
    answer(path, request, response).catch((error) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  const answer = async (path: string, request: IncomingMessage, response: ServerResponse) => {
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (typeof page === 'function') await page(request, response);
    else if (page !== undefined) response.writeHead(200, { 'content-type': TYPES['.html'] }).end(page);
    else if (otherwise && !dir) await otherwise(request, response);
    else await sendFile(dir, path, response);
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    authority: `127.0.0.1:${port}`,
    port,
    requests,
    close: async () => {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'application/xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.svg': 'image/svg+xml',
  '.pdf': 'application/pdf',
  '.gz': 'application/gzip',
};

async function sendFile(dir: string | undefined, path: string, response: ServerResponse): Promise<void> {
  // normalize() of an absolute path cannot climb above its root.
  const wanted = dir && join(dir, normalize(path));
  const found = wanted && (await stat(wanted).catch(() => undefined));
  const file = found && (found.isDirectory() ? join(wanted, 'index.html') : wanted);
  const content = file && (await readFile(file).catch(() => undefined));
  if (!content) {
    response.writeHead(404, { 'content-type': TYPES['.html'] }).end('<h1>Not found</h1>');
    return;
  }
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-length': content.length }).end(content);
}
