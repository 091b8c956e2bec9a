import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FILE_ATTACKS } from '../../test/adversarial/files.ts';
import { HOSTILE_PAGES } from '../../test/adversarial/pages.ts';
import { ATTACKS, type Attack } from '../../test/adversarial/parsers.ts';
import { serve } from './serve.ts';

/**
 * One origin on the loopback network per hostile input, because robots.txt and sitemaps belong to
 * an origin. What it serves is made when it is asked for first.
 */

/** Below the sizes from which robots.txt, sitemaps and pages are cut or refused. */
const SIZE = 450_000;
/** Files are made from few characters each. */
const FILE_SIZE = 60_000;

const pages: Attack[] = Object.entries(HOSTILE_PAGES).map(([name, make]) => ({
  ...{ name: `page: ${name}`, size: SIZE, make, read: () => undefined },
  served: { as: 'page', type: 'text/html; charset=utf-8', bytes: (text) => Buffer.from(text) },
}));
const attacks = [
  ...ATTACKS.map((attack) => ({ ...attack, size: SIZE })),
  ...FILE_ATTACKS.map((attack) => ({ ...attack, size: Math.min(attack.size, FILE_SIZE) * 4 })),
  ...pages,
].filter(({ served }) => served !== undefined);

const PLAIN = '<html><title>Plain</title><body><p>A page with a few words of text.</p></body></html>';

const answerOf = ({ make, size, served }: Attack): RequestListener => {
  let made: Uint8Array | undefined;
  const paths = { 'robots.txt': '/robots.txt', sitemap: '/sitemap.xml', page: '/' };
  return ({ url }, response) => {
    if (served && url === paths[served.as]) {
      made ??= served.bytes(make(size));
      response.writeHead(200, { 'content-type': served.type }).end(made);
    } else if (url === '/') response.writeHead(200, { 'content-type': 'text/html' }).end(PLAIN);
    else response.writeHead(404).end();
  };
};

const inputs: { name: string; url: string; as: string }[] = [];
for (const [at, attack] of attacks.entries()) {
  const server = createServer(answerOf(attack));
  const host = `127.0.${1 + Math.floor(at / 250)}.${1 + (at % 250)}`;
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  inputs.push({ name: attack.name, url: `http://${host}:${port}/`, as: attack.served?.as ?? '' });
}

serve({ inputs: () => inputs });
process.send?.({ type: 'ready' });
process.on('SIGTERM', () => process.exit(0));
