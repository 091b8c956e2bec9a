import { createHash, randomBytes } from 'node:crypto';

/** A new key: 256 random bits behind a prefix that secret scanners can know. */
export const makeKey = (): string => `le_${randomBytes(32).toString('base64url')}`;

/** All that is kept of a key. Plain SHA-256 is enough: there is nothing to guess in 256 random bits. */
export const hashKey = (key: string): Buffer => createHash('sha256').update(key).digest();

/** Enough to tell keys apart in a list, not enough to help anyone. */
export const prefixOf = (key: string): string => key.slice(0, 10);
