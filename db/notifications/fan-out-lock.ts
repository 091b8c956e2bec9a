import { statement } from '../statement.ts';

/**
 * Between the fan-out of events and the removal of their jobs. A fan-out writes rows that name a
 * job without a reference to it; many run at once. A removal waits for those under way, and those
 * that come later wait for its commit, and then do not see the job.
 */
const FAN_OUT_LOCK = 4_203_005;

export const LOCK_FAN_OUT_IN = statement(
  'lock_fan_out_in',
  `SELECT pg_advisory_xact_lock_shared(${FAN_OUT_LOCK})`,
);
export const LOCK_FAN_OUT_OUT = statement(
  'lock_fan_out_out',
  `SELECT pg_advisory_xact_lock(${FAN_OUT_LOCK})`,
);
