import { FAILED_JOBS, LINK_CLICKS, TOPOLOGY } from '../../queue/topology.ts';

/** The queues whose messages name jobs and leads, and are short. */
export const QUEUES = TOPOLOGY.queues
  .map(({ name }) => name)
  .filter((name) => name !== FAILED_JOBS && name !== LINK_CLICKS);
