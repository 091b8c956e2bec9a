import { OperatorError } from '../../runtime/operator-error.ts';
import { createKeyFile, keyFileOf, readKeyFile } from '../../runtime/secrets/key-file.ts';
import { createSecretBox, keyIdOf, type SecretBox } from '../../runtime/secrets/secret-box.ts';
import { withOneConnection } from '../one-connection.ts';

export interface EncryptionKeys {
  /** Of `ENCRYPTION_KEY`; empty if it is not set. */
  keys: readonly Buffer[];
  /** Where the key is kept if it is not set. */
  dataDir: string;
}

/**
 * The keys that secrets in this database are encrypted with: those of `ENCRYPTION_KEY`, else those
 * in `DATA_DIR/encryption-key`. The first process on a new database makes that file; a database
 * that has a key already accepts no other one.
 *
 * @param onCreated called with the file's path if it was made
 * @throws OperatorError, in one line, if a key is missing or is not this database's
 */
export async function openSecrets(
  database: { url: string; applicationName: string },
  { keys, dataDir }: EncryptionKeys,
  onCreated?: (file: string) => void,
): Promise<SecretBox> {
  const file = keyFileOf(dataDir);
  return withOneConnection(database, async (client) => {
    // Processes that start at once on a new database must agree on one key.
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [KEY_LOCK]);
    const { rows } = await client.query<{ id: string }>('SELECT id FROM encryption_keys ORDER BY id');
    const known = rows.map(({ id }) => id);
    const given = keys.length > 0 ? keys : await readKeyFile(file);
    if (!given && known.length > 0) throw missing(known, file);
    const own = given ?? (await createKeyFile(file));
    if (!given) onCreated?.(file);
    const box = createSecretBox(own);
    const lacking = known.filter((id) => !box.keyIds.includes(id));
    if (lacking.length > 0)
      throw different(lacking, own.map(keyIdOf), keys.length > 0 ? 'ENCRYPTION_KEY' : file);
    await client.query('INSERT INTO encryption_keys (id) VALUES ($1) ON CONFLICT DO NOTHING', [
      box.keyIds[0],
    ]);
    await client.query('COMMIT');
    return box;
  });
}

const KEY_LOCK = 4_203_004;

const missing = (known: readonly string[], file: string) =>
  new OperatorError(
    `no encryption key: the secrets in this database are encrypted with key ${known.join(' and ')}; set ENCRYPTION_KEY to it, the same for every process, or restore ${file}`,
  );

const different = (lacking: readonly string[], own: readonly string[], where: string) =>
  new OperatorError(
    `wrong encryption key: ${where} has key ${own.join(', ')}, but secrets in this database are encrypted with key ${lacking.join(' and ')}; add it behind the new one (new,old), or set it alone`,
  );
