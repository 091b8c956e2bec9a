import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { silentLogger } from '../../runtime/log/logger.ts';
import { createEgressGuard } from '../egress/guard.ts';
import { createProxyHealth } from '../egress/upstream-proxy.ts';
import { createHttpClient, type HttpClient, type HttpGetOptions } from './client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let origin: string;
let http: HttpClient;
let handlers: Record<string, Handler>;
let asked: IncomingMessage[];

beforeEach(async () => {
  handlers = {};
  asked = [];
  server = createServer((request, response) => {
    asked.push(request);
    const handler = handlers[new URL(request.url ?? '/', 'http://site').pathname];
    if (handler) handler(request, response);
    else response.writeHead(404).end();
  });
  origin = await listening(server);
  http = clientFor('127.0.0.0/8');
});

afterEach(async () => {
  await http.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const clientFor = (...allow: string[]) =>
  createHttpClient({
    guard: createEgressGuard({ allow, logger: silentLogger }),
    userAgent: 'TestReader/1.0',
    logger: silentLogger,
    proxyHealth: createProxyHealth(),
  });

async function listening(from: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}) {
  await new Promise<void>((resolve) => void from.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(from.address() as AddressInfo).port}`;
}

const get = (path: string, options: Partial<HttpGetOptions> = {}) =>
  http.get(path.startsWith('http') ? path : `${origin}${path}`, {
    signal: new AbortController().signal,
    timeoutMs: 20_000,
    maxBytes: 1_000_000,
    ...options,
  });

const sends =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200): Handler =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);
const redirects =
  (to: string, status = 302, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    void response.writeHead(status, { location: to, ...headers }).end('moved');

describe('an answer', () => {
  it('comes with status, headers and body', async () => {
    handlers['/page'] = sends('<p>Hello</p>', { 'content-type': 'text/html', ETag: '"1"' }, 203);
    const answer = await get('/page?q=1');
    expect(answer).toMatchObject({
      url: `${origin}/page?q=1`,
      status: 203,
      contentType: 'text/html',
      headers: { etag: '"1"' },
      redirects: [],
    });
    expect(answer.body.toString()).toBe('<p>Hello</p>');
    expect(asked[0]?.headers['user-agent']).toBe('TestReader/1.0');
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['gzip, br', (text: string) => brotliCompressSync(gzipSync(text))],
    ['identity', (text: string) => Buffer.from(text)],
    ['gzip', (text: string) => Buffer.from(text)],
  ])('is decoded from %s', async (encoding, encode) => {
    handlers['/'] = sends(encode('words '.repeat(1000)), { 'content-encoding': encoding });
    expect((await get('/')).body.toString()).toBe('words '.repeat(1000));
  });

  it('is requested again if the server closed the kept connection', async () => {
    let connections = 0;
    const rude = createTcpServer((socket) => {
      connections += 1;
      const isFirst = connections === 1;
      let requests = 0;
      socket.on('error', () => {});
      socket.on('data', () => {
        requests += 1;
        if (isFirst && requests === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const rudeOrigin = await listening(rude);
    try {
      await get(`${rudeOrigin}/1`);
      expect((await get(`${rudeOrigin}/2`)).body.toString()).toBe('ok');
      expect(connections).toBe(2);
    } finally {
      rude.close();
      await http.stop();
    }
  });
});

describe('a redirect', () => {
  it('is followed, and the response lists it', async () => {
    handlers['/a'] = redirects('/b#there', 301);
    handlers['/b'] = redirects('c?x=1', 307);
    handlers['/c'] = sends('end');
    const answer = await get('/a#here');
    expect(answer.url).toBe(`${origin}/c?x=1#there`);
    expect(answer.redirects).toEqual([
      { url: `${origin}/a#here`, status: 301, location: '/b#there' },
      { url: `${origin}/b#there`, status: 307, location: 'c?x=1' },
    ]);
  });

  it('loop ends with an error', async () => {
    handlers['/round'] = redirects('/round');
    await expect(get('/round')).rejects.toMatchObject({ code: 'too_many_redirects' });
    expect(asked.length).toBe(21);
  });

  it('is the response if none may be followed', async () => {
    handlers['/hook'] = redirects('/elsewhere', 307);
    const answer = await get('/hook', { method: 'POST', body: '{}', maxRedirects: 0 });
    expect(answer).toMatchObject({ status: 307, url: `${origin}/hook` });
    expect(asked.map(({ url }) => url)).toEqual(['/hook']);
  });

  it('sends the cookie that it set', async () => {
    handlers['/in'] = (request, response) =>
      request.headers.cookie === 'seen=yes'
        ? response.end('welcome')
        : redirects('/in', 302, { 'set-cookie': 'seen=yes; Path=/' })(request, response);
    expect((await get('/in')).body.toString()).toBe('welcome');
    await get('/plain');
    expect(asked.at(-1)?.headers.cookie).toBeUndefined();
  });

  it('sends the headers to the own origin only', async () => {
    const elsewhere = createServer((request, response) => {
      asked.push(request);
      response.end('other');
    });
    const otherOrigin = await listening(elsewhere);
    try {
      handlers['/a'] = redirects('/b');
      handlers['/b'] = redirects(`${otherOrigin}/c`);
      await get('/a', { headers: { 'X-Key': 'secret', 'User-Agent': 'Mine/2' } });
      expect(asked.map(({ url, headers }) => [url, headers['x-key'], headers['user-agent']])).toEqual([
        ['/a', 'secret', 'Mine/2'],
        ['/b', 'secret', 'Mine/2'],
        ['/c', undefined, 'TestReader/1.0'],
      ]);
    } finally {
      elsewhere.closeAllConnections();
      elsewhere.close();
    }
  });

  it.each([
    'file:///etc/passwd',
    'data:text/html,x',
    'ftp://127.0.0.1/',
    'javascript:1',
    'gopher://127.0.0.1/',
  ])('to %s is refused', async (to) => {
    handlers['/'] = redirects(to);
    await expect(get('/')).rejects.toMatchObject({ code: 'egress_refused' });
  });
});

describe('what is too much', () => {
  it.each([
    ['a length announced', sends('', { 'content-length': '1000001' })],
    ['a body without a length', (_: IncomingMessage, response: ServerResponse) => endless(response)],
    ['gzip', sends(gzipSync(Buffer.alloc(200_000_000)), { 'content-encoding': 'gzip' })],
    ['br', sends(brotliCompressSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'br' })],
    ['layers', sends(gzipSync(gzipSync(Buffer.alloc(100_000_000))), { 'content-encoding': 'gzip, gzip' })],
  ])('ends the page: %s', async (_name, handler) => {
    handlers['/'] = handler;
    await expect(get('/')).rejects.toMatchObject({ code: 'page_too_large' });
  });

  it('is not downloaded if `wantsBody` declines it', async () => {
    handlers['/film'] = sends(Buffer.alloc(5_000_000), { 'content-type': 'video/mp4' });
    const answer = await get('/film', { wantsBody: ({ contentType }) => contentType !== 'video/mp4' });
    expect(answer).toMatchObject({ status: 200, contentType: 'video/mp4' });
    expect(answer.body.length).toBe(0);
  });
});

const endless = (response: ServerResponse) => {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(50_000)));
  };
  response.on('drain', more);
  more();
};

describe('a server that does not answer', () => {
  it.each([
    ['says nothing', () => {}],
    ['stops in the middle', (_: IncomingMessage, response: ServerResponse) => void response.write('half')],
  ])('and %s ends at the time limit', async (_name, handler) => {
    handlers['/'] = handler;
    await expect(get('/', { timeoutMs: 100 })).rejects.toMatchObject({ code: 'page_timeout' });
  });

  it('is aborted if the job is cancelled', async () => {
    const cancel = new AbortController();
    handlers['/'] = () => cancel.abort(new Error('cancelled'));
    await expect(get('/', { signal: cancel.signal })).rejects.toThrow('cancelled');
  });

  it('fails with a code per reason', async () => {
    const closed = createTcpServer();
    const closedOrigin = await listening(closed);
    await new Promise((resolve) => closed.close(resolve));
    await expect(get(closedOrigin)).rejects.toMatchObject({ code: 'connection_refused' });
    await expect(get('http://no-such-host.invalid/')).rejects.toMatchObject({ code: 'dns_failed' });
    handlers['/'] = (request) => request.socket.destroy();
    await expect(get('/')).rejects.toMatchObject({ code: 'connection_failed' });
    await expect(get(origin.replace('http:', 'https:'))).rejects.toMatchObject({ code: 'tls_failed' });
  });
});

it('sends the credentials of a URL as a browser does, and never shows them', async () => {
  handlers['/'] = sends('in');
  const answer = await get(origin.replace('http://', 'http://ada:l%40ce@'));
  expect(asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:l@ce').toString('base64')}`);
  expect(answer.url).toBe(`${origin}/`);
});

describe('a name that changes its answer', () => {
  const rebinding = (answers: string[]) => {
    const asked: string[] = [];
    const client = createHttpClient({
      guard: createEgressGuard({
        allow: ['127.0.0.1'],
        logger: silentLogger,
        // The name does not exist: a look-up past the guard would fail.
        resolver: async (name) => {
          asked.push(name);
          return [{ address: answers.shift() ?? '' }];
        },
      }),
      userAgent: 'TestReader/1.0',
      logger: silentLogger,
      proxyHealth: createProxyHealth(),
    });
    const from = (path: string) =>
      client.get(`${origin.replace('127.0.0.1', 'rebind.invalid')}${path}`, {
        signal: new AbortController().signal,
        timeoutMs: 20_000,
        maxBytes: 1000,
      });
    return { asked, client, from };
  };

  it('is dialled at the address that was checked', async () => {
    const { asked: names, client, from } = rebinding(['127.0.0.1', '127.0.0.2']);
    handlers['/'] = sends('inside what is allowed');
    expect((await from('/')).body.toString()).toBe('inside what is allowed');
    expect(names).toEqual(['rebind.invalid']);
    await client.stop();
  });

  it('is checked again for the next connection', async () => {
    const { asked: names, client, from } = rebinding(['127.0.0.1', '127.0.0.2']);
    handlers['/'] = sends('once', { connection: 'close' });
    await from('/');
    await expect(from('/')).rejects.toMatchObject({ code: 'egress_refused' });
    expect(names).toHaveLength(2);
    await client.stop();
  });

  it('is checked again if a redirect leads to it', async () => {
    const { client, from } = rebinding(['127.0.0.1', '10.0.0.1']);
    handlers['/'] = redirects('/next', 302, { connection: 'close' });
    await expect(from('/')).rejects.toMatchObject({ code: 'egress_refused' });
    expect(asked.map(({ url }) => url)).toEqual(['/']);
    await client.stop();
  });
});

describe('through a proxy', () => {
  it('requests reach the address that was checked', async () => {
    const tunnels: string[] = [];
    const proxy = createServer((_request, response) => void response.writeHead(405).end());
    proxy.on('connect', (request, socket: Socket) => {
      tunnels.push(request.url ?? '');
      const [host, port] = (request.url ?? '').split(':');
      const onward = connect({ host: host ?? '', port: Number(port) }, () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    const address = await listening(proxy);
    const proxied = http.through([address]);
    try {
      handlers['/'] = sends('by way of the proxy');
      const options = { signal: new AbortController().signal, timeoutMs: 20_000, maxBytes: 1000 };
      const { host } = new URL(origin);
      expect((await proxied.get(`${origin}/`, options)).body.toString()).toBe('by way of the proxy');
      expect(tunnels).toEqual([host]);
      await expect(proxied.get('http://10.0.0.1/', options)).rejects.toMatchObject({
        code: 'egress_refused',
      });
      expect(tunnels).toEqual([host]);
    } finally {
      await proxied.stop();
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
