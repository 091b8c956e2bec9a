import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Several sites with host names of their own, on one port of loopback. */
export interface Hosts {
  port: number;
  /** Requests as `host/path`, in order. */
  requests: string[];
  /** Environment of a process that must resolve these names and may reach them. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/**
 * @param dir one folder per site, named as the site is without `www.`; both names lead to it
 * @param answers instead of a file, by `host/path`: a status, or a redirect target
 */
export async function startHosts(
  dir: string,
  names: string[],
  answers: Record<string, number | ((port: number) => string)> = {},
  /** Awaited before an answer. */
  before: (hostAndPath: string) => Promise<void> | void = () => {},
): Promise<Hosts> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://site').pathname);
    requests.push(`${host}${path}`);
    await before(`${host}${path}`);
    const answer = answers[`${host}${path}`];
    if (typeof answer === 'number') return response.writeHead(answer).end();
    if (answer) return response.writeHead(301, { location: answer(port) }).end();
    const wanted = join(dir, host.replace(/^www\./, ''), normalize(path));
    const found = await stat(wanted).catch(() => undefined);
    const content = await readFile(found?.isDirectory() ? join(wanted, 'index.html') : wanted).catch(
      () => undefined,
    );
    response.writeHead(content ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
    response.end(content ?? '<h1>Not found</h1>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const known = names.flatMap((name) => [name, `www.${name}`]);
  const preload = pathToFileURL(join(import.meta.dirname, 'names.mjs')).href;
  return {
    port,
    requests,
    env: {
      TEST_NAMES: known.join(','),
      NODE_OPTIONS: `--import=${preload}`,
      EGRESS_ALLOW: known.map((name) => `${name}:${port}`).join(','),
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
