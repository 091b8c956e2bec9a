import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between the API and its database, and can be taken away. */
export class Cable {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #cut = false;
  #frozen = false;

  /** The address of the database by way of this cable. */
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

  /** Nothing gets through any more, and nobody is told: a network that swallows. */
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
