import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { serve } from './serve.ts';

/**
 * Serves a folder of independently written HTML pages from memory: the client is measured, not the
 * server.
 */
const dir = process.env.SITE_DIR ?? '';
const names = readdirSync(dir).filter((name) => name.endsWith('.html'));
const pages = new Map(names.map((name) => [`/${name}`, readFileSync(join(dir, name))]));

const server = createServer((request, response) => {
  const body = pages.get(new URL(request.url ?? '/', 'http://site').pathname);
  if (!body) response.writeHead(404, { 'content-type': 'text/plain' }).end();
  else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(body);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}` });
});
serve({ paths: () => [...pages.keys()] });
process.on('SIGTERM', () => process.exit(0));
