import { createServer } from 'node:net';
import { Complaint } from '../runtime/complaint.ts';
import type { Config } from '../runtime/config.ts';

/** The port or address cannot be had; the message says which setting to change. */
export class PortError extends Complaint {
  override name = 'PortError';
}

const PORTS_TRIED = 100;

/**
 * The port the API is to listen on: the one asked for, and nothing else, where PORT was set; otherwise the usual one or, where
 * another program has that, the next free one.
 */
export async function choosePort(
  { host, port }: Pick<Config, 'host' | 'port'>,
  explicit: boolean,
): Promise<{ port: number; takenPort?: number }> {
  for (let candidate = port; candidate < port + PORTS_TRIED; candidate += 1) {
    const code = await listenError(host, candidate);
    if (!code) return candidate === port ? { port } : { port: candidate, takenPort: port };
    if (code !== 'EADDRINUSE') throw new PortError(explained(code, host, candidate));
    if (explicit) {
      throw new PortError(
        `port ${port} is taken by another program: stop that one, or set PORT to another port`,
      );
    }
  }
  return { port: 0, takenPort: port };
}

/** Why nobody can listen there now; undefined where one can. */
function listenError(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function explained(code: string, host: string, port: number): string {
  if (code === 'EACCES') return `port ${port} may not be used by this user: set PORT to one above 1023`;
  if (code === 'EADDRNOTAVAIL') return `HOST: ${host} is not an address of this machine`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `HOST: ${host} is not known`;
  return `HOST, PORT: cannot listen on ${host}, port ${port} (${code})`;
}
