import { createHash, randomBytes } from 'node:crypto';

/** A new key: 256 random bits after a prefix that secret scanners can match. */
export const generateKey = (): string => `le_${randomBytes(32).toString('base64url')}`;

/** Only the hash is stored. Plain SHA-256 is enough: 256 random bits cannot be guessed. */
export const hashKey = (key: string): Buffer => createHash('sha256').update(key).digest();

/** Enough to distinguish keys in a list, not enough to guess one. */
export const prefixOf = (key: string): string => key.slice(0, 10);
