import { PageFailure } from '../../core/jobs/page-errors.ts';
import { silentLogger } from '../../runtime/log/logger.ts';
import { randomAnswer, seedsOf } from '../../test/fixtures/odd-answers/random-answers.ts';
import { type RawAnswer, startRawSite } from '../../test/support/servers/raw-site.ts';
import { createEgressGuard } from '../egress/guard.ts';
import { createHttpClient } from './client.ts';

const HTML = 'Content-Type: text/html';

async function withSite<T>(
  answerTo: (path: string) => RawAnswer,
  use: (get: (path: string, acceptsCut?: boolean) => ReturnType<typeof http.get>, site: Site) => Promise<T>,
): Promise<T> {
  const site = await startRawSite(answerTo);
  try {
    return await use(
      (path, acceptsCut = false) =>
        http.get(`${site.url}${path}`, {
          ...{ signal: new AbortController().signal, timeoutMs: 20_000, maxBytes: 1_000_000, acceptsCut },
        }),
      site,
    );
  } finally {
    await site.close();
  }
}

type Site = Awaited<ReturnType<typeof startRawSite>>;

const http = createHttpClient({
  guard: createEgressGuard({ allow: ['127.0.0.1'], logger: silentLogger }),
  userAgent: 'TestReader/1.0',
  logger: silentLogger,
});
afterAll(() => http.stop());

const keeping = (...lines: string[]): RawAnswer => ({
  bytes: Buffer.from(lines.join('\r\n'), 'latin1'),
  end: 'keep',
});

it('randomly corrupted responses give a response or a page failure, in time', async () => {
  const seeds = seedsOf(200);
  await withSite(
    (path) => randomAnswer(Number(path.slice(1)) || 0),
    async (get) => {
      const unforeseen: unknown[] = [];
      let answers = 0;
      for (let first = seeds.first; first < seeds.last; first += 8) {
        await Promise.all(
          Array.from({ length: Math.min(8, seeds.last - first) }, async (_, i) => {
            await get(`/${first + i}`).then(
              () => {
                answers += 1;
              },
              (error) => {
                if (!(error instanceof PageFailure) || error.code === 'page_timeout') unforeseen.push(error);
              },
            );
          }),
        );
      }
      expect(unforeseen).toEqual([]);
      expect(answers).toBeGreaterThan((seeds.last - seeds.first) / 10);
    },
  );
}, 600_000);

describe('a connection', () => {
  const twice = async (answer: RawAnswer) =>
    withSite(
      () => answer,
      async (get, site) => {
        const bodies = [await get('/1'), await get('/2')].map(({ body }) => body.toString());
        expect(bodies).toEqual(['ok', 'ok']);
        return site.connections();
      },
    );

  it.each([
    ['with a length', keeping('HTTP/1.1 200 OK', HTML, 'Content-Length: 2', '', 'ok')],
    ['in chunks', keeping('HTTP/1.1 200 OK', HTML, 'Transfer-Encoding: chunked', '', '2', 'ok', '0', '', '')],
    ['of HTTP/1.0', keeping('HTTP/1.0 200 OK', 'Connection: keep-alive', 'Content-Length: 2', '', 'ok')],
    [
      'that was announced',
      keeping('HTTP/1.1 103 Hints', '', 'HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok'),
    ],
  ])('is kept for the next request after a response %s', async (_name, answer) => {
    expect(await twice(answer)).toBe(1);
  });

  it.each([
    ['said to be the last', keeping('HTTP/1.1 200 OK', 'Connection: close', 'Content-Length: 2', '', 'ok')],
    ['of HTTP/1.0', keeping('HTTP/1.0 200 OK', 'Content-Length: 2', '', 'ok')],
    [
      'with bytes behind it',
      keeping('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'okHTTP/1.1 200 OK\r\n\r\n'),
    ],
    [
      'framed twice',
      keeping(
        'HTTP/1.1 200 OK',
        'Content-Length: 9',
        'Transfer-Encoding: chunked',
        '',
        '2',
        'ok',
        '0',
        '',
        '',
      ),
    ],
    ['with LF alone', keeping('HTTP/1.1 200 OK\nContent-Length: 2\n\nok')],
    ['with a line without a colon', keeping('HTTP/1.1 200 OK', 'colon', 'Content-Length: 2', '', 'ok')],
    ['with a fold', keeping('HTTP/1.1 200 OK', 'A: b', ' c', 'Content-Length: 2', '', 'ok')],
    ['with spaces in a name', keeping('HTTP/1.1 200 OK', 'A b: c', 'Content-Length: 2', '', 'ok')],
    ['with bytes before it', keeping('', 'HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok')],
  ])('is not reused after a response %s', async (_name, answer) => {
    expect(await twice(answer)).toBe(2);
  });
});

describe('a body cut short', () => {
  const cut: RawAnswer = { bytes: Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf') };

  it('is a failure by default', async () => {
    await withSite(
      () => cut,
      async (get) => {
        await expect(get('/')).rejects.toMatchObject({ code: 'connection_failed' });
      },
    );
  });

  it('is returned with `cut` if the caller accepts it', async () => {
    await withSite(
      () => cut,
      async (get) => {
        const answer = await get('/', true);
        expect(answer.body.toString()).toBe('half');
        expect(answer.cut).toMatchObject({ code: 'connection_failed' });
      },
    );
  });
});

it('a header that is not Latin-1 is sent as UTF-8, and cannot be split into two', async () => {
  await withSite(
    () => keeping('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok'),
    async (_get, site) => {
      const send = (value: string) =>
        http.get(site.url, {
          ...{ signal: new AbortController().signal, timeoutMs: 20_000, maxBytes: 1000 },
          headers: { 'x-name': value },
        });
      // Truncated to one byte, U+010A would be a line feed.
      await send('日Ċx: y');
      expect(site.requests[0]).toContain(`x-name: ${Buffer.from('日Ċx: y').toString('latin1')}`);
      await expect(send('a\r\nb: c')).rejects.toMatchObject({ code: 'connection_failed' });
      expect(site.requests).toHaveLength(1);
    },
  );
});

it('headers named like properties of Object.prototype are headers like others', async () => {
  await withSite(
    () => keeping('HTTP/1.1 200 OK', '__proto__: a', 'constructor: b', 'Content-Length: 2', '', 'ok'),
    async (get) => {
      const { headers } = await get('/');
      expect(headers.constructor).toBe('b');
      expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
    },
  );
});
