import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * Encrypts secrets for the database with keys of the operator's: AES-256-GCM, bound to the place
 * (table, column and row) by additional data, so that a value copied to another row does not open.
 *
 * A sealed value: version (1 byte), id of its key (4), initialization vector (12), tag (16),
 * ciphertext.
 */
export interface SecretBox {
  /** Ids of its keys; the first one encrypts. */
  readonly keyIds: readonly string[];
  /** @param place names table, column and row */
  seal(text: string, place: string): Buffer;
  /** @throws SecretUnreadable */
  open(sealed: Buffer, place: string): string;
}

/** A secret whose key is not at hand, or that was changed or moved. */
export class SecretUnreadable extends Error {
  override name = 'SecretUnreadable';
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES;
const OVERHEAD_BYTES = HEAD_BYTES + IV_BYTES + TAG_BYTES;

/** @param keys 32 bytes each; the first one encrypts, the others still decrypt */
export function createSecretBox(keys: readonly Buffer[]): SecretBox {
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]));
  const [first] = keys;
  if (!first) throw new Error('a secret box needs a key');
  const firstId = keyIdOf(first);

  return {
    keyIds: [...byId.keys()],
    seal(text, place) {
      const head = Buffer.concat([Buffer.from([VERSION]), Buffer.from(firstId, 'hex')]);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', first, iv).setAAD(aad(head, place));
      const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([head, iv, cipher.getAuthTag(), encrypted]);
    },
    open(sealed, place) {
      const id = sealedKeyId(sealed);
      const key = id === null ? undefined : byId.get(id);
      if (!key) throw new SecretUnreadable(`${place}: no key ${id ?? 'for this format'}`);
      const body = sealed.subarray(HEAD_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, IV_BYTES))
        .setAAD(aad(sealed.subarray(0, HEAD_BYTES), place))
        .setAuthTag(body.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      try {
        const text = decipher.update(body.subarray(IV_BYTES + TAG_BYTES));
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch {
        // The cause has nothing to add, and could hold what was decrypted.
        throw new SecretUnreadable(`${place}: changed, or of another row`);
      }
    },
  };
}

/** What `open` returns; null if the secret cannot be read. */
export function unlessUnreadable<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof SecretUnreadable) return null;
    throw error;
  }
}

/** For processes that neither write nor read secrets. */
export const NO_SECRETS: SecretBox = {
  keyIds: [],
  seal: () => {
    throw new Error('this process has no encryption key');
  },
  open: () => {
    throw new SecretUnreadable('this process has no encryption key');
  },
};

/** Names a key without revealing it: 8 hexadecimal digits. */
export const keyIdOf = (key: Buffer): string =>
  createHash('sha256').update('leadengine encryption key\0').update(key).digest('hex').slice(0, 8);

/** The id of the key that a value was sealed with; null if it is no sealed value. */
function sealedKeyId(sealed: Buffer): string | null {
  if (sealed.length < OVERHEAD_BYTES || sealed[0] !== VERSION) return null;
  return sealed.subarray(1, HEAD_BYTES).toString('hex');
}

const aad = (head: Buffer, place: string): Buffer => Buffer.concat([head, Buffer.from(place, 'utf8')]);
