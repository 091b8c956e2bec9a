import { createHash } from 'node:crypto';
import { createSecretBox } from '../runtime/secrets/secret-box.ts';

/** The job every figure is measured with: a plain request as users send it. */
export const JOB = {
  urls: ['https://example.com/catalogue/page-1.html'],
  formats: ['markdown', 'links'],
  metadata: { reference: 'bench' },
} as const;

/** Of the processes, and of the statements of this one. */
export const ENCRYPTION_KEY = createHash('sha256').update('the encryption key of the benches').digest('hex');
export const BENCH_SECRETS = createSecretBox([Buffer.from(ENCRYPTION_KEY, 'hex')]);

/** The benches' first admin. */
export const API_KEY = 'le_bench_key_for_loopback_only';
