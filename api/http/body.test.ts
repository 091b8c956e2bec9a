import { PassThrough } from 'node:stream';
import { createLoadShedding } from '../middleware/load-shedding.ts';
import { readBytes } from './body.ts';
import type { ApiRequest, ApiResponse, BodyCharge } from './route.ts';

const limit = createLoadShedding(1000, 1000);

/** A request as it comes over the wire, and what is charged for it. */
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

/** What is free of the thousand bytes. */
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

test('a body that comes byte by byte is put together, and charged until the answer is out', async () => {
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

test('one whose rest does not come is given up, and costs nothing any more', async () => {
  const { body, read } = request({ 'content-length': '800' });
  body.write('x'.repeat(600));
  await expect(read(20)).rejects.toMatchObject({ status: 408, code: 'request_timeout' });
  expect(free()).toBe(1000);
});

test('one that is announced and has not come yet costs nothing', async () => {
  const { body, read } = request({ 'content-length': '800' });
  const bytes = read();
  expect(free()).toBe(1000);
  body.complete = true;
  body.end('{}');
  expect((await bytes).toString()).toBe('{}');
  body.res.destroy();
});

test('one that is too long is refused when that is known', async () => {
  await expect(request({ 'content-length': '901' }).read()).rejects.toMatchObject({ status: 413 });
  const { body, read } = request({ 'transfer-encoding': 'chunked' });
  body.write('x'.repeat(600));
  body.write('x'.repeat(301));
  await expect(read()).rejects.toMatchObject({ status: 413 });
  expect(free()).toBe(1000);
});
