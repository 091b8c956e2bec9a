import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';

/**
 * A forward proxy on loopback: CONNECT with a login, also over TLS, or SOCKS5 with one. It records
 * its targets.
 */
export interface TestProxy {
  /** With credentials. */
  url: string;
  port: number;
  /** Requested targets, as `address:port`. */
  asked: string[];
  /** While true, every connection is closed. */
  isBroken: boolean;
  close(): Promise<void>;
}

const USER = 'ada';
const PASSWORD = 'p@ss:word';
const LOGIN = `${USER}:${encodeURIComponent(PASSWORD)}`;

/** @param tls how it is reached; none: plain HTTP */
export async function startConnectProxy(tls?: { key: string; cert: string }): Promise<TestProxy> {
  const asked: string[] = [];
  const state = { isBroken: false };
  const server = tls ? createTlsServer(tls) : createServer();
  server.on('request', (_request, response) => void response.writeHead(405).end());
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    if (state.isBroken) return socket.destroy();
    const wanted = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
    if (request.headers['proxy-authorization'] !== wanted) {
      return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    }
    asked.push(request.url ?? '');
    const target = new URL(`http://${request.url}`);
    join(socket, target.hostname, Number(target.port || 80), () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
    });
  });
  const scheme = tls ? 'https' : 'http';
  return await listening(server, asked, state, (port) => `${scheme}://${LOGIN}@127.0.0.1:${port}`);
}

export async function startSocksProxy(): Promise<TestProxy> {
  const asked: string[] = [];
  const state = { isBroken: false };
  const server = createTcpServer((socket) => {
    socket.on('error', () => socket.destroy());
    if (state.isBroken) socket.destroy();
    else void serveSocks(socket, asked).catch(() => socket.destroy());
  });
  return await listening(server, asked, state, (port) => `socks5://${LOGIN}@127.0.0.1:${port}`);
}

/** RFC 1928 and 1929, for IPv4 targets. */
async function serveSocks(socket: Socket, asked: string[]): Promise<void> {
  const read = (): Promise<Buffer> => new Promise((resolve) => socket.once('data', resolve));
  await read();
  socket.write(Buffer.from([5, 2]));
  const login = await read();
  const nameLength = login[1] ?? 0;
  const name = login.subarray(2, 2 + nameLength).toString();
  const password = login.subarray(3 + nameLength).toString();
  if (name !== USER || password !== PASSWORD) {
    socket.end(Buffer.from([1, 1]));
    return;
  }
  socket.write(Buffer.from([1, 0]));
  const request = await read();
  if (request[3] !== 1) {
    socket.end(Buffer.from([5, 8, 0, 1, 0, 0, 0, 0, 0, 0]));
    return;
  }
  const host = [...request.subarray(4, 8)].join('.');
  const port = request.readUInt16BE(8);
  asked.push(`${host}:${port}`);
  join(socket, host, port, () => socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])));
}

function join(socket: Socket, host: string, port: number, onConnected: () => void): void {
  const onward = connect(port, host, () => {
    onConnected();
    socket.pipe(onward).pipe(socket);
  });
  onward.on('error', () => socket.destroy());
  socket.on('close', () => onward.destroy());
}

async function listening(
  server: Server,
  asked: string[],
  state: { isBroken: boolean },
  urlOf: (port: number) => string,
): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: urlOf(port),
    port,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  });
}
