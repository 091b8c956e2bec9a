import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** What the fleet knows of a host, see `scraping/engine/rendering-type-cache.ts`, whose store this is. */
export interface RenderVerdictRow {
  engine: 'http' | 'browser';
  reason: string;
  /** How many times in a row it came out like this. */
  streak: number;
  ageMs: number;
}

export function renderVerdictStore(sql: Sql): {
  find(host: string): Promise<RenderVerdictRow | null>;
  record(host: string, verdict: Pick<RenderVerdictRow, 'engine' | 'reason'>): Promise<void>;
} {
  return {
    async find(host) {
      const [row] = await sql.query<RenderVerdictRow>(FIND_RENDER_VERDICT, [host]);
      return row ?? null;
    },
    async record(host, { engine, reason }) {
      await sql.query(RECORD_RENDER_VERDICT, [host, engine, reason]);
    },
  };
}

/** An age and not a moment: only the database's clock counts. */
const FIND_RENDER_VERDICT = statement(
  'find_render_verdict',
  `
  SELECT engine, reason, streak, extract(epoch FROM now() - seen_at)::float8 * 1000 AS "ageMs"
  FROM rendering_types WHERE host = $1
  `,
);

/** The same again lengthens the streak, the contrary begins a new one. A crash of Postgres may take it back: it is learned again. */
const RECORD_RENDER_VERDICT = statement(
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
