import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import {
  deliveryCodes,
  errorCodes,
  isJobCode,
  problemCodes,
  sdkErrorCodes,
  thrownCodes,
} from '../scripts/docs/error-codes.ts';

const root = join(import.meta.dirname, '..');

test('docs/reference/error-codes.md follows from the code (else: npm run docs)', () => {
  expect(readFileSync(join(root, 'docs/reference/error-codes.md'), 'utf8')).toBe(errorCodes(root));
});

test('the codes of the SDK follow from the code (else: npm run docs)', () => {
  expect(readFileSync(join(root, 'sdk/src/error-codes.ts'), 'utf8')).toBe(sdkErrorCodes(root));
});

test('the codes are found in the sources', () => {
  expect(problemCodes(root).length).toBeGreaterThan(30);
  expect(deliveryCodes(root)).toContain('smtp_unreachable');
});

test('each code that a job can fail with is documented', () => {
  expect(thrownCodes(root)).toContain('artifacts_unavailable');
  expect(thrownCodes(root).filter((code) => !isJobCode(code))).toEqual([]);
});
