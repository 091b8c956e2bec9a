import pg from 'pg';

/**
 * The owner of a cluster is the process that holds an advisory lock in it. The lock belongs to a
 * session, so it ends with its owner, however the owner ends: no lock file to clean up, no pid to
 * trust.
 */
export type Claim =
  | { kind: 'owner'; session: pg.Client }
  | { kind: 'owned'; byPid: number | undefined }
  /** Starting, stopping, or not listening yet: retry. */
  | { kind: 'not_ready'; cause: unknown };

export async function claim(port: number, password: string): Promise<Claim> {
  const session = new pg.Client({
    ...LOCAL,
    port,
    password,
    user: 'postgres',
    database: 'postgres',
    keepAlive: true,
    application_name: `${OWNER}${process.pid}`,
  });
  // Without a listener, a connection error would end the process.
  session.on('error', () => {});
  try {
    await session.connect();
    const { rows } = await session.query<{ taken: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS taken`);
    if (rows[0]?.taken) return { kind: 'owner', session };
    const owner = await ownerOf(session);
    await session.end();
    // The lock was held and its holder is gone: try again now.
    return owner ? { kind: 'owned', byPid: owner.pid } : { kind: 'not_ready', cause: undefined };
  } catch (cause) {
    await session.end().catch(() => {});
    if (isPassing(cause)) return { kind: 'not_ready', cause };
    throw cause;
  }
}

/** The owner of the cluster that this session is connected to (through any of its databases). */
export async function ownerOf(session: pg.Client): Promise<{ pid: number | undefined } | undefined> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND granted AND (classid, objid) = (${LOCK}) AND application_name LIKE '${OWNER}%'`,
  );
  return rows[0] && { pid: Number(rows[0].name.slice(OWNER.length)) || undefined };
}

export const LOCAL = { host: '127.0.0.1', connectionTimeoutMillis: 10_000 };

const OWNER = 'leadengine-owner-';
/** "LEAD" and "own": two numbers that nothing else uses in the database `postgres`. */
const LOCK = '1279607108, 7305070';

/**
 * Refused or cut off while the server starts or stops (57P01 to 57P03), or out of connections
 * (53300).
 */
export function isPassing(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return (
    /^(57P0[123]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code ?? '') ||
    /connection terminated|timeout expired/i.test(message ?? '')
  );
}
