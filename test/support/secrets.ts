import { createHash } from 'node:crypto';
import { createSecretBox } from '../../runtime/secrets/secret-box.ts';

/** The encryption key of tests: `ENCRYPTION_KEY` of processes that share a test's database. */
export const TEST_KEY = createHash('sha256').update('the encryption key of the tests').digest('hex');

export const testSecrets = createSecretBox([Buffer.from(TEST_KEY, 'hex')]);
