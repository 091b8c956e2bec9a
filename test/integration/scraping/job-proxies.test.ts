import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedLocalhost } from '../../fixtures/site/self-signed.ts';
import { type Fleet, startFleet } from '../../support/processes/fleet.ts';
import type { RunningProcess } from '../../support/processes/processes.ts';
import { type Site, startSite } from '../../support/servers/site.ts';
import { startConnectProxy, startSocksProxy, type TestProxy } from '../../support/servers/upstream-proxy.ts';

/**
 * Jobs that name a proxy, by either engine of a real worker whose operator trusts the certificate
 * of their own.
 */

let site: Site;
let fleet: Fleet;
let folder: string;
let worker: RunningProcess;
let trust: { NODE_EXTRA_CA_CERTS: string };
const proxies = {} as Record<'http' | 'https' | 'socks5', TestProxy>;

beforeAll(async () => {
  site = await startSite({ pages: { '/': '<title>A page</title><p>By way of a proxy</p>' } });
  folder = await mkdtemp(join(tmpdir(), 'leadengine-proxies-'));
  trust = { NODE_EXTRA_CA_CERTS: join(folder, 'own-ca.pem') };
  await writeFile(trust.NODE_EXTRA_CA_CERTS, selfSignedLocalhost.cert);
  [proxies.http, proxies.https, proxies.socks5] = await Promise.all([
    startConnectProxy(),
    startConnectProxy(selfSignedLocalhost),
    startSocksProxy(),
  ]);
  fleet = await startFleet({ driver: 'embedded', workers: 0 });
  worker = await fleet.startWorker(trust);
});
afterAll(async () => {
  await fleet.stop();
  await Promise.all([site.close(), ...Object.values(proxies).map((proxy) => proxy.close())]);
  await rm(folder, { recursive: true, force: true });
});

const scrape = async (spec: Record<string, unknown>) => {
  const id = await fleet.client.post({ urls: [`${site.url}/`], formats: ['text'], max_attempts: 1, ...spec });
  await fleet.client.until(id, 'completed', 'failed');
  const [page] = await fleet.client.pages(id);
  return page;
};

describe.each([['http'], ['browser']])('by render: %s', (render) => {
  it.each(['http', 'https', 'socks5'] as const)(
    'a page comes through a proxy of scheme %s',
    async (scheme) => {
      const proxy = proxies[scheme];
      const before = proxy.asked.length;
      expect(await scrape({ render, proxy: proxy.url })).toMatchObject({
        ...{ error: null, engine: render, status_code: 200 },
        text: expect.stringContaining('By way of a proxy'),
      });
      expect(new Set(proxy.asked.slice(before))).toEqual(new Set([site.authority]));
    },
  );

  it.each(['http', 'https', 'socks5'] as const)(
    'one of scheme %s that refuses the login is not used',
    async (scheme) => {
      const proxy = proxies[scheme];
      const before = proxy.asked.length;
      const page = await scrape({ render, proxy: proxy.url.replace('ada:', `eve-${render}:`) });
      expect(page).toMatchObject({ error: { code: 'proxy_failed' } });
      expect(proxy.asked).toHaveLength(before);
    },
  );

  it('of several proxies a failed one is replaced by the next, whatever their schemes', async () => {
    const broken = await Promise.all([startConnectProxy(selfSignedLocalhost), startSocksProxy()]);
    for (const proxy of broken) proxy.isBroken = true;
    try {
      const before = proxies.https.asked.length;
      const urls = [...broken, proxies.https].map(({ url }) => url);
      expect(await scrape({ render, proxy: urls })).toMatchObject({ error: null, engine: render });
      expect(proxies.https.asked.slice(before)).toContain(site.authority);
    } finally {
      await Promise.all(broken.map((proxy) => proxy.close()));
    }
  });
});

it('a proxy over TLS carries TLS to the site', async () => {
  const secure = createServer(selfSignedLocalhost, (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Twice wrapped</p>'),
  );
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const { port } = secure.address() as AddressInfo;
  try {
    const page = await scrape({
      urls: [`https://localhost:${port}/`],
      render: 'http',
      proxy: proxies.https.url.replace('127.0.0.1', 'localhost'),
    });
    expect(page).toMatchObject({ error: null, text: 'Twice wrapped' });
    expect(proxies.https.asked).toContain(`127.0.0.1:${port}`);
  } finally {
    secure.closeAllConnections();
    await new Promise((resolve) => secure.close(resolve));
  }
});

it('no password of a proxy is logged', () => {
  expect(worker.logged('proxy_failed').length).toBeGreaterThan(0);
  expect(worker.output()).not.toMatch(/p%40ss|p@ss/);
});

it('a proxy with an untrusted certificate is not used, and the log names the reason', async () => {
  await worker.stop();
  const untrusting = await fleet.startWorker();
  const before = proxies.https.asked.length;
  for (const render of ['http', 'browser']) {
    const page = await scrape({ render, proxy: proxies.https.url });
    expect(page).toMatchObject({ error: { code: 'proxy_failed' } });
  }
  expect(proxies.https.asked).toHaveLength(before);
  expect(untrusting.logged('proxy_failed')).toContainEqual(
    expect.objectContaining({
      proxy: `127.0.0.1:${proxies.https.port}`,
      reason: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    }),
  );
});
