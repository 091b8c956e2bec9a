import { expect, test } from '@jest/globals';
import { parseConfig } from './config.ts';

const limitsOf = (environment: Record<string, string>) => parseConfig(environment).limitsByRole;

test('nobody has a limit by default', () => {
  expect(limitsOf({})).toEqual({ admin: {}, member: {}, read_only: {} });
});

test('LIMITS=strict limits all but admins, and a setting of its own wins', () => {
  const { admin, member, read_only } = limitsOf({
    LIMITS: 'strict',
    LIMIT_PAGES_PER_DAY: 'member:5, read_only:none',
  });
  expect(admin).toEqual({});
  expect(member).toMatchObject({ pages_per_day: 5, pages_per_month: 100_000, requests_per_second: 20 });
  expect(read_only).toMatchObject({ pages_per_day: null, pages_per_month: 100_000 });
});

test('a number is for all but admins, and megabytes are stored as bytes', () => {
  expect(limitsOf({ LIMIT_STORED_MB: '2', LIMIT_PRIORITY: 'admin:9' })).toEqual({
    ...{ admin: { highest_priority: 9 }, member: { stored_bytes: 2_000_000 } },
    read_only: { stored_bytes: 2_000_000 },
  });
});

test.each(['-1', 'many', 'user:5', 'member:', 'member:5;admin:5', '10', 'member:5,10'])(
  'LIMIT_PRIORITY=%s is refused',
  (value) => {
    expect(() => limitsOf({ LIMIT_PRIORITY: value })).toThrow(
      /LIMIT_PRIORITY.*expected a whole number from 0 to 9/,
    );
  },
);
