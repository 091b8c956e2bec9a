import type pg from 'pg';
import { poolAddress } from '../runtime/postgres/postgres-connection.ts';

/** Runs `use` on a connection of its own, which ends with it. */
export async function withOneConnection<T>(
  { url, applicationName }: { url: string; applicationName: string },
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { Client, ...address } = poolAddress(url);
  const client = new Client({ ...address, application_name: applicationName, keepAlive: true });
  // A broken connection fails the current statement; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}
