import pg from 'pg';
import type { Services } from './services.ts';

/**
 * The statements Postgres spent its time on since the last call, most expensive first; with
 * `--statements`.
 */
export async function takeStatements({ postgresUrl }: Services): Promise<string> {
  // The superuser has the role's password; only a superuser may count the statements of others.
  const url = new URL(postgresUrl);
  url.username = 'postgres';
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    const { rows } = await client.query<{
      ms: number;
      calls: number;
      rows: number;
      blocks: number;
      text: string;
    }>(
      `SELECT round(total_exec_time)::int AS ms, calls::int, rows::int, (shared_blks_hit + shared_blks_read)::int AS blocks,
              left(regexp_replace(query, '\\s+', ' ', 'g'), 110) AS text
       FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 14`,
    );
    await client.query('SELECT pg_stat_statements_reset()');
    return rows
      .map(
        ({ ms, calls, rows: found, blocks, text }) =>
          `${ms} ms  ${calls} calls  ${found} rows  ${blocks} blocks  ${text}`,
      )
      .join('\n');
  } finally {
    await client.end();
  }
}
