import type pg from 'pg';
import { OperatorError } from '../runtime/operator-error.ts';
import { poolAddress } from '../runtime/postgres/postgres-connection.ts';

/** Another client of the pooler may run between the two queries. */
const ROUNDS = 5;

/**
 * A pooler that assigns each transaction to any connection (PgBouncer's `pool_mode = transaction`
 * or `statement`) breaks session features: advisory locks, LISTEN, prepared statements and SET.
 * There would be two leaders and lost notifications. Two sessions that are answered by one server
 * process reveal it.
 *
 * @throws OperatorError
 */
export async function refuseTransactionPooling({
  url,
  applicationName,
}: {
  url: string;
  applicationName: string;
}): Promise<void> {
  const { Client, ...address } = poolAddress(url);
  const clients = [1, 2].map(() => new Client({ ...address, application_name: applicationName }));
  // A broken connection fails the current query; without a listener it would end the process.
  for (const client of clients) client.on('error', () => {});
  try {
    await Promise.all(clients.map((client) => client.connect()));
    for (let round = 0; round < ROUNDS; round += 1) {
      const pids = [];
      for (const client of clients) pids.push(await pidOf(client));
      if (pids[0] === pids[1]) throw new OperatorError(REFUSED);
    }
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

const pidOf = async (client: pg.Client) =>
  (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;

const REFUSED =
  'DATABASE_URL: the pooler there shares connections between transactions, and LeadEngine needs sessions (locks, LISTEN, prepared statements): set pool_mode = session for this database in PgBouncer, or connect to Postgres itself';
