import { randomBytes } from 'node:crypto';

/** Standard Webhooks requires 24 to 64 random bytes. */
export const generateSecret = (): Buffer => randomBytes(32);
