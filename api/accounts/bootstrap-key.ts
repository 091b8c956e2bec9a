import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureAdmin, findKeys } from '../../db/accounts/users.ts';
import type { Database } from '../../db/connect.ts';
import { OperatorError } from '../../runtime/operator-error.ts';
import { makeFolder } from '../../runtime/process/make-folder.ts';
import { generateKey, hashKey, prefixOf } from './api-key.ts';

export interface BootstrapKey {
  /** Path of the file that holds the key; null if the operator configured it. */
  file: string | null;
  /** The key if it was created now, to be shown once; else null. */
  created: string | null;
  /** False if it was revoked. */
  isValid: boolean;
}

/**
 * Ensures the first admin has a key: the configured one, or that in DATA_DIR/api-key, created if
 * missing.
 */
export async function ensureBootstrapKey(
  database: Database,
  { dataDir, bootstrapApiKey }: { dataDir: string; bootstrapApiKey: string | undefined },
): Promise<BootstrapKey> {
  const file = join(dataDir, 'api-key');
  const { key, created } = bootstrapApiKey
    ? { key: bootstrapApiKey, created: false }
    : await createOrReadKey(file);
  const hash = hashKey(key);
  const kind = bootstrapApiKey ? 'given' : 'made';
  await ensureAdmin(database, { prefix: prefixOf(key), hash, kind });
  const found = await findKeys(database, [hash]);
  const isValid = found.get(hash.toString('base64'))?.kind === 'valid';
  return { file: bootstrapApiKey ? null : file, created: created && isValid ? key : null, isValid };
}

/** Of several processes that start together, one creates the file and the others read it. */
async function createOrReadKey(file: string): Promise<{ key: string; created: boolean }> {
  await makeFolder(dirname(file), 0o700);
  const key = generateKey();
  try {
    await writeFile(file, `${key}\n`, { flag: 'wx', mode: 0o600 });
    return { key, created: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      return { key: await readKey(file), created: false };
    // Created and not written, as on a full disk: the next start would find an empty one.
    await rm(file, { force: true });
    throw error;
  }
}

const READ_ATTEMPTS = 40;

/** Another process may have created the file and not written it yet. */
async function readKey(file: string): Promise<string> {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
    const text = await readFile(file, 'utf8');
    if (text.trim().length >= 16 && text.endsWith('\n')) return text.trim();
    await sleep(50);
  }
  throw new OperatorError(`${file} holds no API key: delete it to have a new one made`);
}
