import { PassThrough } from 'node:stream';
import { createLoadShedding } from '../middleware/load-shedding.ts';
import { readBytes } from './body.ts';
import type { ApiRequest, ApiResponse, BodyCharge } from './route.ts';

const limit = createLoadShedding(1000, 1000);

/** A request body as a stream, charged against a limit of 1000 bytes. */
function request(headers: Record<string, string>) {
  const response = Object.assign(new PassThrough(), { locals: { caller: { userId: 'a' } } });
  limit({} as ApiRequest, response as unknown as ApiResponse, () => {});
  const body = Object.assign(new PassThrough(), {
    headers: { 'content-type': 'application/json', ...headers },
    complete: false,
    res: response,
  });
  return { body, read: (idleMs?: number) => readBytes(body as unknown as ApiRequest, 900, idleMs) };
}

/** How many of the 1000 bytes are free. */
function free(): number {
  const response = Object.assign(new PassThrough(), { locals: { caller: { userId: 'b' } } });
  limit({} as ApiRequest, response as unknown as ApiResponse, () => {});
  const { body: charge } = response.locals as unknown as { body: BodyCharge };
  let bytes = 0;
  try {
    for (;;) {
      charge.add(1);
      bytes += 1;
    }
  } catch {
    charge.release();
    return bytes;
  }
}

test('a body that arrives byte by byte is assembled, and charged until the answer is sent', async () => {
  const { body, read } = request({ 'transfer-encoding': 'chunked' });
  const bytes = read();
  for (const byte of 'x'.repeat(700)) body.write(byte);
  body.complete = true;
  body.end();
  expect((await bytes).toString()).toBe('x'.repeat(700));
  expect(free()).toBe(300);
  body.res.destroy();
  await new Promise((resolve) => body.res.on('close', resolve));
  expect(free()).toBe(1000);
});

test('a body that stalls times out and frees its bytes', async () => {
  const { body, read } = request({ 'content-length': '800' });
  body.write('x'.repeat(600));
  await expect(read(20)).rejects.toMatchObject({ status: 408, code: 'request_timeout' });
  expect(free()).toBe(1000);
});

test('an announced body costs nothing before it arrives', async () => {
  const { body, read } = request({ 'content-length': '800' });
  const bytes = read();
  expect(free()).toBe(1000);
  body.complete = true;
  body.end('{}');
  expect((await bytes).toString()).toBe('{}');
  body.res.destroy();
});

test('a body that is too long is refused as soon as that is known', async () => {
  await expect(request({ 'content-length': '901' }).read()).rejects.toMatchObject({ status: 413 });
  const { body, read } = request({ 'transfer-encoding': 'chunked' });
  body.write('x'.repeat(600));
  body.write('x'.repeat(301));
  await expect(read()).rejects.toMatchObject({ status: 413 });
  expect(free()).toBe(1000);
});
