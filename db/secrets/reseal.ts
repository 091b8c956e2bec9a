import { unlessUnreadable } from '../../runtime/secrets/secret-box.ts';
import type { Sql } from '../connect.ts';
import { openWebhookSecret } from '../notifications/webhook-secrets.ts';
import { type Statement, statement } from '../statement.ts';
import { resealInstallationSecrets } from './installation-secrets.ts';
import { place } from './places.ts';

export interface Resealed {
  /** Values that the first key has encrypted now. */
  resealed: number;
  /** Values that no key at hand opens; they stay as they are. */
  unreadable: number;
}

/**
 * Encrypts with the first key what other keys have encrypted, and then forgets the others: they can
 * be taken out of the settings. A value that changes meanwhile is left to its writer.
 */
export async function reseal(sql: Sql): Promise<Resealed> {
  const total: Resealed = { resealed: await resealInstallationSecrets(sql), unreadable: 0 };
  for (const column of COLUMNS) await resealColumn(sql, column, total);
  if (total.unreadable === 0) await sql.query(FORGET_KEYS, [sql.secrets.keyIds[0]]);
  return total;
}

interface SealedColumn {
  list: Statement;
  replace: Statement;
  placeOf: (id: string) => string;
  open?: (sql: Sql, id: string, sealed: Buffer) => string;
}

const AT_ONCE = 500;

async function resealColumn(
  sql: Sql,
  { list, replace, placeOf, open }: SealedColumn,
  total: Resealed,
): Promise<void> {
  const [current = ''] = sql.secrets.keyIds;
  // In two ranges of key ids, below and above the current one, each read in order of id.
  for (const [after, before] of [
    [NONE, Buffer.from(current, 'hex')],
    [Buffer.from(current, 'hex'), null],
  ] as const) {
    for (let last: { key: Buffer; id: string } | null = null; ; ) {
      const rows: SealedRow[] = await sql.query<SealedRow>(list, [
        last?.key ?? after,
        last?.id ?? LAST_ID,
        before,
        AT_ONCE,
      ]);
      const fresh = rows.flatMap(({ id, sealed }) => {
        const text = unlessUnreadable(() =>
          open ? open(sql, id, sealed) : sql.secrets.open(sealed, placeOf(id)),
        );
        return text === null ? [] : [{ id, was: sealed, becomes: sql.secrets.seal(text, placeOf(id)) }];
      });
      await sql.query(replace, [
        fresh.map(({ id }) => id),
        fresh.map(({ was }) => was),
        fresh.map(({ becomes }) => becomes),
      ]);
      total.resealed += fresh.length;
      total.unreadable += rows.length - fresh.length;
      const end = rows.at(-1);
      if (!end || rows.length < AT_ONCE) break;
      last = { key: end.key, id: end.id };
    }
  }
}

interface SealedRow {
  id: string;
  key: Buffer;
  sealed: Buffer;
}

/** Sorts before every key id, and after every row id. */
const NONE = Buffer.alloc(0);
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** `$1`, `$2`: key and id after which to go on; `$3`: key before which to end, or null. */
const listing = (table: string, column: string): Statement =>
  statement(
    `list_sealed_${table}_${column}`,
    `
    SELECT id, substring(${column} FROM 2 FOR 4) AS key, ${column} AS sealed FROM ${table}
    WHERE ${column} IS NOT NULL AND substring(${column} FROM 2 FOR 4) >= $1::bytea
      AND (substring(${column} FROM 2 FOR 4), id) > ($1::bytea, $2::uuid)
      AND ($3::bytea IS NULL OR substring(${column} FROM 2 FOR 4) < $3::bytea)
    ORDER BY substring(${column} FROM 2 FOR 4), id LIMIT $4
    `,
  );

const replacing = (table: string, column: string): Statement =>
  statement(
    `reseal_${table}_${column}`,
    `
    UPDATE ${table} t SET ${column} = r.becomes
    FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS r (id, was, becomes)
    WHERE t.id = r.id AND t.${column} = r.was
    `,
  );

const sealedColumn = (
  table: string,
  column: string,
  placeOf: (id: string) => string,
  open?: SealedColumn['open'],
): SealedColumn => ({
  ...{ list: listing(table, column), replace: replacing(table, column), placeOf },
  ...(open ? { open } : {}),
});

const COLUMNS: readonly SealedColumn[] = [
  sealedColumn('jobs', 'secrets', place.job),
  sealedColumn('webhook_receivers', 'secret', place.webhookSecret, openWebhookSecret),
  sealedColumn('webhook_receivers', 'previous_secret', place.webhookSecret, openWebhookSecret),
  sealedColumn('webhooks', 'login', place.webhookLogin),
  sealedColumn('subscriptions', 'secrets', place.subscription),
  sealedColumn('schedules', 'secrets', place.schedule),
];

const FORGET_KEYS = statement('forget_encryption_keys', 'DELETE FROM encryption_keys WHERE id <> $1');
