import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { choosePort } from '../../../supervisor/port.ts';

const open: Server[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

test('a free port is used', async () => {
  const port = await occupy();
  await new Promise((resolve) => open.pop()?.close(resolve));
  expect(await choosePort({ host: '127.0.0.1', port }, true)).toEqual({ port });
});

test('port 0 becomes a real port, for the links that will name it', async () => {
  const { port } = await choosePort({ host: '127.0.0.1', port: 0 }, true);
  expect(port).toBeGreaterThan(0);
});

test('instead of a default port that is in use, the next free one', async () => {
  const port = await occupy();
  const chosen = await choosePort({ host: '127.0.0.1', port }, false);
  expect(chosen.takenPort).toBe(port);
  expect(chosen.port).not.toBe(port);
});

test('a configured port that is in use is an error that says so', async () => {
  const port = await occupy();
  await expect(choosePort({ host: '127.0.0.1', port }, true)).rejects.toThrow(
    `port ${port} is taken by another program: stop that one, or set PORT to another port`,
  );
});

test('an address of another machine is an error that names HOST', async () => {
  await expect(choosePort({ host: '192.0.2.1', port: 3000 }, false)).rejects.toThrow(
    'HOST: 192.0.2.1 is not an address of this machine',
  );
});

async function occupy(): Promise<number> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
