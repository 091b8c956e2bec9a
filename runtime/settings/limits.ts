import { LIMIT_NAMES, type LimitName, type Limits } from '../../core/accounts/limits.ts';
import { ROLES } from '../../core/accounts/scopes.ts';
import type { LimitsByRole } from './setting-types.ts';
import type { SettingValues } from './settings.ts';

/** The limits of each role: those of the preset, where no setting of their own says otherwise. */
export function limitsOf(v: SettingValues): Record<string, Limits> {
  const settings: Record<LimitName, LimitsByRole | undefined> = {
    max_running_jobs: v.LIMIT_RUNNING_JOBS,
    max_waiting_jobs: v.LIMIT_WAITING_JOBS,
    pages_per_day: v.LIMIT_PAGES_PER_DAY,
    pages_per_month: v.LIMIT_PAGES_PER_MONTH,
    stored_bytes: inBytes(v.LIMIT_STORED_MB),
    highest_priority: v.LIMIT_PRIORITY,
    requests_per_second: v.LIMIT_REQUESTS_PER_SECOND,
  };
  return Object.fromEntries(
    ROLES.map((role) => {
      const preset = v.LIMITS === 'strict' && role !== 'admin' ? STRICT : {};
      const own = LIMIT_NAMES.flatMap((name) => {
        const limit = settings[name]?.[role];
        return limit === undefined ? [] : [[name, limit]];
      });
      return [role, { ...preset, ...Object.fromEntries(own) }];
    }),
  );
}

const MB = 1_000_000;

const STRICT: Limits = {
  max_running_jobs: 5,
  max_waiting_jobs: 1000,
  pages_per_day: 10_000,
  pages_per_month: 100_000,
  stored_bytes: 5000 * MB,
  highest_priority: 5,
  requests_per_second: 20,
};

const inBytes = (megabytes: LimitsByRole | undefined): LimitsByRole | undefined =>
  megabytes &&
  Object.fromEntries(
    Object.entries(megabytes).map(([role, limit]) => [role, limit === null ? null : limit * MB]),
  );
