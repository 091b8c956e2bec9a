import { createRequire } from 'node:module';

/**
 * Playwright. Not an import statement: for its named exports Node would parse the seven megabytes
 * of Playwright a second time, which costs each worker 0.2 s of processor time at its start.
 */
export const { chromium, devices } = createRequire(import.meta.url)('playwright') as Pick<
  typeof import('playwright'),
  'chromium' | 'devices'
>;
