import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/**
 * The fleet's rendering type of a host, see `scraping/engine/rendering-type-cache.ts`, whose store
 * this is.
 */
export interface RenderingTypeRow {
  engine: 'http' | 'browser';
  reason: string;
  /** How many times in a row this result was observed. */
  streak: number;
  ageMs: number;
}

export function renderingTypeStore(sql: Sql): {
  find(host: string): Promise<RenderingTypeRow | null>;
  record(host: string, observed: Pick<RenderingTypeRow, 'engine' | 'reason'>): Promise<void>;
} {
  return {
    async find(host) {
      const [row] = await sql.query<RenderingTypeRow>(FIND_RENDERING_TYPE, [host]);
      return row ?? null;
    },
    async record(host, { engine, reason }) {
      await sql.query(RECORD_RENDERING_TYPE, [host, engine, reason]);
    },
  };
}

/** An age and not a time: only the database's clock counts. */
const FIND_RENDERING_TYPE = statement(
  'find_render_verdict',
  `
  SELECT engine, reason, streak, extract(epoch FROM now() - seen_at)::float8 * 1000 AS "ageMs"
  FROM rendering_types WHERE host = $1
  `,
);

/**
 * The same result lengthens the streak, another begins a new one. A crash of Postgres may undo it:
 * it is learned again.
 */
const RECORD_RENDERING_TYPE = statement(
  'record_render_verdict',
  `
  INSERT INTO rendering_types AS known (host, engine, reason, streak)
  SELECT $1, $2, $3, 1 FROM ${ASYNC_COMMIT}
  ON CONFLICT (host) DO UPDATE SET
    engine = excluded.engine,
    reason = excluded.reason,
    streak = CASE WHEN known.engine = excluded.engine THEN least(known.streak + 1, 1000) ELSE 1 END,
    seen_at = now()
  RETURNING host
  `,
);
