import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureAdmin, findCaller } from '../../db/accounts/users.ts';
import type { Database } from '../../db/connect.ts';
import { OperatorError } from '../../runtime/operator-error.ts';
import { hashKey, makeKey, prefixOf } from './api-key.ts';

export interface BootstrapKey {
  /** Where the key is kept; null where the operator gave it. */
  file: string | null;
  /** The key, if it was made just now: the one time it is shown. */
  made: string | null;
  /** False: it was revoked. */
  isValid: boolean;
}

/** Makes sure the first admin has a key: the operator's, or the one in DATA_DIR/api-key, which is made if need be. */
export async function ensureBootstrapKey(
  database: Database,
  { dataDir, bootstrapApiKey }: { dataDir: string; bootstrapApiKey: string | undefined },
): Promise<BootstrapKey> {
  const file = join(dataDir, 'api-key');
  const { key, made } = bootstrapApiKey ? { key: bootstrapApiKey, made: false } : await keepKey(file);
  const hash = hashKey(key);
  const kind = bootstrapApiKey ? 'given' : 'made';
  await ensureAdmin(database, { prefix: prefixOf(key), hash, kind });
  const isValid = (await findCaller(database, hash)) !== null;
  return { file: bootstrapApiKey ? null : file, made: made && isValid ? key : null, isValid };
}

/** Of several processes that start at once, one makes the file and the others read it. */
async function keepKey(file: string): Promise<{ key: string; made: boolean }> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const key = makeKey();
  try {
    await writeFile(file, `${key}\n`, { flag: 'wx', mode: 0o600 });
    return { key, made: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { key: await readKey(file), made: false };
  }
}

const READ_ATTEMPTS = 40;

/** The other process may have made the file and not written it yet. */
async function readKey(file: string): Promise<string> {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
    const text = await readFile(file, 'utf8');
    if (text.trim().length >= 16 && text.endsWith('\n')) return text.trim();
    await sleep(50);
  }
  throw new OperatorError(`${file} holds no API key: delete it to have a new one made`);
}
