import type pg from 'pg';

/** A node of `EXPLAIN (FORMAT JSON)`. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: PlanNode[];
}

/**
 * The plan that a connection keeps for a statement: made without its values, as `PREPARE` does it
 * after some executions, or at once under `plan_cache_mode`.
 */
export async function genericPlan(
  client: pg.Client,
  { name, text }: { name: string; text: string },
): Promise<PlanNode> {
  const prepared = `explained_${name}`;
  await client.query(`PREPARE ${prepared} AS ${text}`);
  const { rows } = await client.query<{ count: number }>(
    'SELECT cardinality(parameter_types) AS count FROM pg_prepared_statements WHERE name = $1',
    [prepared],
  );
  const nulls = Array.from({ length: rows[0]?.count ?? 0 }, () => 'NULL');
  const values = nulls.length > 0 ? `(${nulls.join(', ')})` : '';
  const explained = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE ${prepared}${values}`,
  );
  await client.query(`DEALLOCATE ${prepared}`);
  const [row] = explained.rows;
  if (!row) throw new Error(`no plan for ${name}`);
  return row['QUERY PLAN'][0].Plan;
}

/**
 * The tables, or indexes, that a plan reads from one end to the other: a `Seq Scan`, or an index
 * scan without a condition that no LIMIT ends. A small partial index on a large table may be read
 * whole: its WHERE leaves only the few relevant rows.
 */
export function wholeReads(plan: PlanNode, large: { tables: Set<string>; indexes: Set<string> }): string[] {
  const reads: string[] = [];
  const walk = (node: PlanNode, isLimited: boolean) => {
    const type = node['Node Type'];
    const table = node['Relation Name'];
    const index = node['Index Name'];
    if (type === 'Seq Scan' && table && large.tables.has(table)) reads.push(`Seq Scan on ${table}`);
    if (index && /Index/.test(type) && !node['Index Cond'] && !isLimited && large.indexes.has(index)) {
      reads.push(`${type} of all of ${index}`);
    }
    const limits = type === 'Limit' || (isLimited && STREAMS.has(type));
    for (const inner of node.Plans ?? []) walk(inner, limits);
  };
  walk(plan, false);
  return reads;
}

/** These nodes stream and so end with the LIMIT above them; others first read everything. */
const STREAMS = new Set([
  'LockRows',
  'Nested Loop',
  'Subquery Scan',
  'Append',
  'Merge Append',
  'Result',
  'Unique',
]);

/** Tables with many rows at the last ANALYZE. */
export async function largeRelations(
  client: pg.Client,
  rows: number,
): Promise<{ tables: Set<string>; indexes: Set<string> }> {
  const { rows: found } = await client.query<{ name: string; kind: string }>(
    `SELECT relname AS name, relkind AS kind FROM pg_class
     WHERE relnamespace IN ('public'::regnamespace, 'queue'::regnamespace) AND relkind IN ('r', 'i') AND reltuples >= $1`,
    [rows],
  );
  const named = (wanted: string) =>
    new Set(found.filter(({ kind }) => kind === wanted).map(({ name }) => name));
  return { tables: named('r'), indexes: named('i') };
}
