import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A cable between the API and its database that tests can cut. */
export class Cable {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #cut = false;
  #frozen = false;

  /** The database URL through this cable. */
  async through(databaseUrl: string): Promise<string> {
    const { hostname, port } = new URL(databaseUrl);
    this.#server = createServer((socket) => {
      if (this.#cut) {
        socket.destroy();
        return;
      }
      const onward = connect(Number(port), hostname);
      for (const [end, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#sockets.add(end);
        end.on('error', () => {});
        end.on('close', () => {
          this.#sockets.delete(end);
          other.destroy();
        });
        end.pipe(other);
        if (this.#frozen) end.pause();
      }
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const url = new URL(databaseUrl);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing arrives any more, silently: a network that drops packets. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#cut = false;
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  remove(): void {
    this.cut();
    this.#server?.close();
  }
}
