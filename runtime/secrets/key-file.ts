import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../operator-error.ts';
import { makeFolder } from '../process/make-folder.ts';
import { parseEncryptionKey } from './encryption-key.ts';

/** Where the encryption key is kept if `ENCRYPTION_KEY` is not set. */
export const keyFileOf = (dataDir: string): string => join(dataDir, 'encryption-key');

/**
 * The keys in `DATA_DIR/encryption-key`, one per line: the first encrypts, the others still
 * decrypt. Null if there is no such file.
 *
 * @throws OperatorError if it cannot be read, or holds anything else
 */
export async function readKeyFile(file: string): Promise<Buffer[] | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new OperatorError(
      `the encryption key in ${file} cannot be read (${error.code}): let this user read it, or set ENCRYPTION_KEY`,
    );
  });
  if (text === null) return null;
  const lines = text.split(/\s+/).filter(Boolean);
  const keys = lines.flatMap((line) => parseEncryptionKey(line) ?? []);
  if (keys.length > 0 && keys.length === lines.length) return keys;
  throw new OperatorError(
    `${file} holds no encryption key, or more than keys: restore it from a backup (64 hexadecimal digits per line)`,
  );
}

/** Makes a key that this user alone can read. @throws OperatorError if it cannot be stored */
export async function createKeyFile(file: string): Promise<Buffer[]> {
  const key = randomBytes(32);
  try {
    await makeFolder(dirname(file), 0o700);
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(`${key.toString('hex')}\n`);
      // What it encrypts is worth nothing without it.
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new OperatorError(
      `cannot keep an encryption key in ${dirname(file)} (${(error as NodeJS.ErrnoException).code}): set ENCRYPTION_KEY, the same for every process (openssl rand -hex 32), or DATA_DIR`,
    );
  }
  return [key];
}
