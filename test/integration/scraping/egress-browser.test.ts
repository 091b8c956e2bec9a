import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { type Site, startSite } from '../../support/servers/site.ts';
import { waitFor } from '../../support/wait-for.ts';

/**
 * The ways in which a page can reach other targets. Each is tried twice: with all of loopback
 * allowed, where it must get through, or the test would prove nothing; and with only the site
 * allowed, where the target must see nothing.
 */

/** A server that counts connections. */
interface Target {
  port: number;
  connections: number;
  close(): Promise<void>;
}

let site: Site;
let target: Target;
let guarded: Scraper;
let open: Scraper;
/** The response of `/settled` waits until the attempt got through or was blocked. */
let hasSettled: () => boolean = () => false;

beforeAll(async () => {
  target = await openTarget();
  site = await startSite({
    pages: {
      '/try': (request, response) => {
        const way = WAYS[new URL(request.url ?? '', 'http://site').searchParams.get('way') ?? ''] ?? '';
        const origin = `http://127.0.0.1:${target.port}`;
        const html = way
          .replaceAll('TARGET', `${origin}/secret`)
          .replaceAll('ORIGIN', `127.0.0.1:${target.port}`);
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end(
            `<!doctype html><title>Tries</title><h1>Tries</h1><p>${'Some words to read. '.repeat(20)}</p>${html}<script src="/wait.js"></script>`,
          );
      },
      '/wait.js': (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'text/javascript' })
          .end(
            `fetch('/settled').then(() => { document.body.append(Object.assign(document.createElement('p'), { id: 'settled' })) })`,
          ),
      '/settled': async (_request, response) => {
        await waitFor(async () => hasSettled(), { timeoutMs: 8000, what: 'the attempt' });
        response.writeHead(204).end();
      },
      '/worker.js': (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'text/javascript' })
          .end(`fetch('http://127.0.0.1:${target.port}/secret', { mode: 'no-cors' }).catch(() => {})`),
      '/imports.js': (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'text/javascript' })
          .end(`importScripts('http://127.0.0.1:${target.port}/secret')`),
      '/leads-to': (request, response) => {
        const asked = new URL(request.url ?? '', 'http://site').searchParams;
        const to = asked.get('to') ?? '';
        response.writeHead(Number(asked.get('by') ?? 302), { location: to }).end();
      },
      '/carries-to': (request, response) => {
        const asked = new URL(request.url ?? '', 'http://site').searchParams;
        const how = CARRIERS[asked.get('by') ?? '']?.(asked.get('to') ?? '') ?? '';
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end(`<!doctype html><title>Carries</title><h1>Carries</h1>${how}`);
      },
      '/goes-to': (request, response) => {
        const to = JSON.stringify(new URL(request.url ?? '', 'http://site').searchParams.get('to'));
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end(`<!doctype html><title>Goes</title><h1>Stays</h1><script>location.href = ${to}</script>`);
      },
    },
  });
  guarded = openScraper({ allow: [site.authority] });
  open = openScraper({ allow: ['127.0.0.0/8'] });
  await Promise.all([guarded.pool.start(), open.pool.start()]);
});

afterAll(async () => {
  await Promise.all([guarded.stop(), open.stop()]);
  await Promise.all([site.close(), target.close()]);
});

async function openTarget(): Promise<Target> {
  const counted = { connections: 0 };
  const server: Server = createServer((socket) => {
    counted.connections += 1;
    socket.on('error', () => {});
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return counted.connections;
    },
    async close() {
      server.close();
    },
  };
}

const script = (code: string) => `<script>${code}</script>`;

/** The ways in which a page navigates its tab. */
const CARRIERS: Record<string, (to: string) => string> = {
  'meta refresh': (to) => `<meta http-equiv="refresh" content="0; url=${to}">`,
  location: (to) => script(`location.replace(${JSON.stringify(to)})`),
  form: (to) => `<form method="post" action="${to}"></form>${script('document.forms[0].submit()')}`,
  click: (to) => `<a id="l" href="${to}">x</a>${script(`document.getElementById('l').click()`)}`,
};

const WAYS: Record<string, string> = {
  fetch: script(`fetch('TARGET', { mode: 'no-cors' }).catch(() => {})`),
  'a fetch that is redirected': script(`fetch('/leads-to?to=TARGET', { mode: 'no-cors' }).catch(() => {})`),
  XMLHttpRequest: script(`const x = new XMLHttpRequest(); x.open('POST', 'TARGET'); x.send('a')`),
  beacon: script(`navigator.sendBeacon('TARGET', 'a')`),
  WebSocket: script(`new WebSocket('ws://ORIGIN/')`),
  'secure WebSocket': script(`new WebSocket('wss://ORIGIN/')`),
  EventSource: script(`new EventSource('TARGET')`),
  script: '<script async src="TARGET"></script>',
  module: script(`import('TARGET').catch(() => {})`),
  'style sheet': '<link rel="stylesheet" href="TARGET">',
  'style import': '<style>@import url(TARGET);</style>',
  picture: '<img src="TARGET" alt="">',
  video: '<video src="TARGET" autoplay muted></video>',
  font: '<style>@font-face { font-family: f; src: url(TARGET) } h1 { font-family: f }</style>',
  frame: '<iframe src="TARGET"></iframe>',
  'frame that refreshes': `<iframe srcdoc='<meta http-equiv="refresh" content="0;url=TARGET">'></iframe>`,
  object: '<object data="TARGET" type="text/html"></object>',
  embed: '<embed src="TARGET" type="text/html">',
  form: `<iframe name="f"></iframe><form target="f" method="post" action="TARGET"></form>${script('document.forms[0].submit()')}`,
  prefetch: '<link rel="prefetch" href="TARGET">',
  preload: '<link rel="preload" as="script" href="TARGET">',
  preconnect: '<link rel="preconnect" href="https://ORIGIN">',
  worker: script(`new Worker('/worker.js')`),
  'worker that imports': script(`new Worker('/imports.js')`),
  'link with ping': `<a id="l" href="#x" ping="TARGET">x</a>${script(`document.getElementById('l').click()`)}`,
  'service worker': script(
    // Playwright overrides the object's method, not the prototype's.
    `ServiceWorkerContainer.prototype.register.call(navigator.serviceWorker, '/worker.js').catch(() => {})`,
  ),
};
/** Disabled in Chromium: gets nowhere, allowed or not. */
const NEVER = new Set(['link with ping', 'preconnect', 'service worker']);

const attempt = async (scraper: Scraper, way: string) => {
  const before = { connections: target.connections, refusals: refusedAtTarget(scraper) };
  hasSettled = () =>
    NEVER.has(way) || target.connections > before.connections || refusedAtTarget(scraper) > before.refusals;
  const { page } = await scraper.scrape(`${site.url}/try?way=${encodeURIComponent(way)}`, {
    // A screenshot is requested, so that no resource is skipped.
    formats: ['text', 'screenshot'],
    actions: [{ type: 'wait', selector: '#settled' }],
  });
  return {
    page,
    reached: target.connections - before.connections,
    refused: refusedAtTarget(scraper) - before.refusals,
  };
};

const refusedAtTarget = ({ logged }: Scraper) =>
  logged.filter(({ event, fields }) => event === 'egress_refused' && fields.port === target.port).length;

describe('a page', () => {
  it.each(Object.keys(WAYS))('reaches nothing private by %s, and is given', async (way) => {
    const counted = guarded.blockedRequests();
    const tried = await attempt(guarded, way);
    expect({ reached: tried.reached, error: tried.page.error }).toEqual({ reached: 0, error: null });
    expect(tried.page.text).toContain('Tries');
    if (NEVER.has(way)) return;
    expect(tried.refused).toBeGreaterThan(0);
    expect(guarded.blockedRequests()).toBeGreaterThan(counted);
    expect((await attempt(open, way)).reached).toBeGreaterThan(0);
  });

  it('cannot bypass the proxy by WebRTC', async () => {
    const udp = createSocket('udp4');
    let packets = 0;
    udp.on('message', () => {
      packets += 1;
    });
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const stun = `stun:127.0.0.1:${udp.address().port}`;
    WAYS.webrtc = script(
      `const p = new RTCPeerConnection({ iceServers: [{ urls: '${stun}' }] }); p.createDataChannel('a');
       p.onicegatheringstatechange = () => { document.title = p.iceGatheringState };
       p.createOffer().then((o) => p.setLocalDescription(o))`,
    );
    hasSettled = () => true;
    const { page } = await open.scrape(`${site.url}/try?way=webrtc`, {
      actions: [{ type: 'wait', selector: '#settled' }],
    });
    expect(page).toMatchObject({ title: 'complete', error: null });
    expect(packets).toBe(0);
    udp.close();
  });
});

describe('a private address', () => {
  const ways = [
    ...['301', '302', '303', '307', '308'].map((status) => `/leads-to?by=${status}`),
    ...Object.keys(CARRIERS).map((way) => `/carries-to?by=${encodeURIComponent(way)}`),
  ];
  it.each(ways)('is not reached by a navigation: %s', async (way) => {
    const before = { connections: target.connections, refusals: refusedAtTarget(guarded) };
    const to = (scraper: Scraper) =>
      scraper.scrape(`${site.url}${way}&to=${encodeURIComponent(`http://127.0.0.1:${target.port}/secret`)}`);
    const { page } = await to(guarded);
    expect(page).toMatchObject({
      title: null,
      error: { code: 'egress_refused', message: 'the address is not reachable from here' },
    });
    expect(target.connections).toBe(before.connections);
    expect(refusedAtTarget(guarded)).toBeGreaterThan(before.refusals);
    await to(open);
    expect(target.connections).toBeGreaterThan(before.connections);
  });

  it.each(['169.254.169.254/latest/meta-data/', '100.100.100.200/', '[fd00:ec2::254]/', '169.254.170.2/v2/'])(
    'of a cloud metadata service is blocked: %s',
    async (address) => {
      expect((await guarded.scrape(`http://${address}`)).page.error?.code).toBe('egress_refused');
    },
  );
});

describe('a URL that is not http(s)', () => {
  it.each(['file:///etc/passwd', 'data:text/html,x', 'chrome://version'])(
    'is blocked in a redirect, logged and counted: %s',
    async (to) => {
      const counted = guarded.blockedRequests();
      const { page } = await guarded.scrape(`${site.url}/leads-to?to=${encodeURIComponent(to)}`);
      expect(page).toMatchObject({ error: { code: 'egress_refused' }, title: null });
      expect(guarded.blockedRequests()).toBeGreaterThan(counted);
    },
  );

  it('is not loaded by a redirect, though the browser reports no reason', async () => {
    const { page } = await guarded.scrape(`${site.url}/leads-to?to=view-source:http://127.0.0.1/`);
    expect(page).toMatchObject({ error: { code: 'connection_failed' }, title: null });
  });

  it.each(['file:///etc/passwd', 'view-source:http://127.0.0.1/', 'chrome://version', 'ftp://127.0.0.1/'])(
    'is not reached by a script: %s',
    async (to) => {
      const { page } = await guarded.scrape(`${site.url}/goes-to?to=${encodeURIComponent(to)}`, {
        formats: ['text'],
      });
      expect(page).toMatchObject({ final_url: expect.stringContaining(site.url), error: null });
      expect(page.text).toContain('Stays');
    },
  );
});

describe('a name', () => {
  const scrapeNamed = async (host: string, answers: string[]) => {
    const asked: string[] = [];
    const scraper = openScraper({
      allow: [`127.0.0.1:${site.port}`],
      resolver: async (name) => {
        asked.push(name);
        return [{ address: answers[Math.min(asked.length, answers.length) - 1] ?? '' }];
      },
    });
    try {
      const { page } = await scraper.scrape(`http://${host}:${site.port}/goes-to?to=/again`, {
        formats: ['text'],
      });
      return { page, asked, logged: scraper.logged };
    } finally {
      await scraper.stop();
    }
  };

  it('with changing addresses is checked each time, and only checked addresses are dialled', async () => {
    const before = site.requests.length;
    const { page, asked } = await scrapeNamed('rebinding.test', ['127.0.0.1', '169.254.169.254']);
    expect(asked.length).toBeGreaterThan(1);
    expect(page.error?.code).toBe('egress_refused');
    expect(site.requests.slice(before).filter((url) => url.startsWith('/again'))).toEqual([]);
  });

  it.each([
    '10.0.0.1',
    '::1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1%eth0',
    '169.254.169.254',
  ])('of %s is refused', async (address) => {
    expect((await scrapeNamed('points-inside.test', [address])).page.error?.code).toBe('egress_refused');
  });
});

describe('the spelling of an address', () => {
  // A Unicode full stop is a dot to a browser; the part before an @ is not the host.
  it.each([
    'http://127。0。0。1:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://127.1:PORT/',
    'http://example.com@127.0.0.1:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://localhost.:PORT/',
  ])('gains nothing: %s', async (spelled) => {
    const before = target.connections;
    const { page } = await guarded.scrape(spelled.replace('PORT', String(target.port)));
    expect(page.error?.code).toBe('egress_refused');
    expect(target.connections).toBe(before);
  });

  it('allows exactly what is listed: other ports and addresses stay blocked', async () => {
    const before = target.connections;
    expect((await guarded.scrape(`${site.url}/goes-to?to=/`)).page.error?.code ?? null).not.toBe(
      'egress_refused',
    );
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const port = host === '127.0.0.1' ? target.port : site.port;
      expect((await guarded.scrape(`http://${host}:${port}/`)).page.error?.code).toBe('egress_refused');
    }
    expect(target.connections).toBe(before);
  });
});
