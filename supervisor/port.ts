import { type AddressInfo, createServer } from 'node:net';
import { OperatorError } from '../runtime/operator-error.ts';
import type { Config } from '../runtime/settings/config.ts';

/** The port or address is not available; the message names the setting to change. */
class PortError extends OperatorError {
  override name = 'PortError';
}

const PORTS_TRIED = 100;

/**
 * Chooses the API's port: exactly `PORT` if it is set; otherwise the default or, if another program
 * has that, the next free one. PORT=0 is resolved here, so that links are known before the API
 * listens.
 */
export async function choosePort(
  { host, port }: Pick<Config, 'host' | 'port'>,
  explicit: boolean,
): Promise<{ port: number; takenPort?: number }> {
  for (let candidate = port; candidate < port + PORTS_TRIED; candidate += 1) {
    const { code, free } = await tryPort(host, candidate);
    if (!code) return candidate === port ? { port: free } : { port: free, takenPort: port };
    if (code !== 'EADDRINUSE') throw new PortError(explained(code, host, candidate));
    if (explicit) {
      throw new PortError(
        `port ${port} is taken by another program: stop that one, or set PORT to another port`,
      );
    }
  }
  return { port: (await tryPort(host, 0)).free, takenPort: port };
}

/** The port if it can be listened on now, else the error code. */
function tryPort(host: string, port: number): Promise<{ code?: string; free: number }> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: error.code ?? error.message, free: port }),
    );
    server.listen({ host, port, exclusive: true }, () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve({ free }));
    });
  });
}

function explained(code: string, host: string, port: number): string {
  if (code === 'EACCES') return `port ${port} may not be used by this user: set PORT to one above 1023`;
  if (code === 'EADDRNOTAVAIL') return `HOST: ${host} is not an address of this machine`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `HOST: ${host} is not known`;
  return `HOST, PORT: cannot listen on ${host}, port ${port} (${code})`;
}
