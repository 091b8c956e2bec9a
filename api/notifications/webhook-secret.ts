import { randomBytes } from 'node:crypto';

/** Standard Webhooks requires 24 to 64 random bytes. */
export const makeSecret = (): Buffer => randomBytes(32);
