import { expect, test } from '@jest/globals';
import { audit } from './chaos/audit/audit.ts';
import type { Snapshot, Transition } from './chaos/audit/snapshot.ts';

/** Tests of the auditor: a correct snapshot, and each way in which one can be wrong. */

const JOB = 'job-1';
const transition = (fields: Partial<Transition> & Pick<Transition, 'at' | 'status'>): Transition => ({
  ...{ job_id: JOB, old_status: null, old_attempt: 0, attempt: 0, max_attempts: 3 },
  ...{ old_worker: null, worker: null, silent_ms: null, user_id: 'user-1', running_limit: null },
  ...fields,
});
const claimed = transition({
  ...{ at: 2, old_status: 'queued', status: 'running', attempt: 1, worker: 'host-1-a' },
});
const ended = transition({
  ...{ at: 4, old_status: 'running', status: 'completed', old_attempt: 1, attempt: 1 },
  ...{ old_worker: 'host-1-a', worker: 'host-1-a', silent_ms: 100 },
});
const page = {
  ...{ at: 3, job_id: JOB, position: 0, failed: false, writer: 'host-1-a', writer_attempt: 1 },
  ...{ holder: 'host-1-a', holder_attempt: 1, status: 'running' },
};
const event = (type: string) => ({ job_id: JOB, type, asked: false });

/** A copy each time: the tests modify it. */
const right = (): Snapshot => structuredClone(IN_ORDER);

const IN_ORDER: Snapshot = {
  ...{ driver: 'fleet', leaseMs: 3000, slots: 1, unpublished: 0, queued: 0, deadLetters: new Set() },
  ...{ openDeadLetters: [], leads: [{ job_id: JOB, key: 'a.example', event_count: 1 }] },
  jobs: [
    {
      ...{ id: JOB, status: 'completed', attempt: 1, max_attempts: 3, error_code: null, priority: 0 },
      ...{ pages: 1, leads: 1 },
      script: { key: 'k', index: 0, end: 'complete', ms: 1, bad: null },
    },
  ],
  transitions: [transition({ at: 1, status: 'queued' }), claimed, ended],
  attempts: [
    {
      ...{ job_id: JOB, attempt: 1, worker_id: 'host-1-a', outcome: 'completed' },
      ...{ started_at: 2, finished_at: 4 },
    },
  ],
  events: [event('job.created'), event('job.started'), event('job.completed')],
  pageWrites: [page],
  journal: [{ at: 0, ms: 1, op: 'post', api: 'api-1', status: 202, key: 'k', jobs: 1, ids: [JOB] }],
  ...{ dispatches: [], aborted: [], faults: [], pids: new Map() },
};

const kindsOf = (snapshot: Snapshot) => [...new Set(audit(snapshot).map(({ kind }) => kind))];

test('a correct snapshot has no violations', () => {
  expect(audit(right())).toEqual([]);
});

const wrong: [kind: string, spoil: (snapshot: Snapshot) => void][] = [
  ['lead_without_one_event', ({ leads }) => leads.push({ job_id: JOB, key: 'b.example', event_count: 2 })],
  ['leads_miscounted', ({ leads }) => leads.splice(0)],
  ['dead_letters_wrong', ({ openDeadLetters }) => openDeadLetters.push(JOB)],
  ['lost', ({ jobs }) => jobs.splice(0)],
  ['doubled', ({ jobs }) => jobs.push(...jobs.map((job) => ({ ...job, id: 'job-2' })))],
  ['doubled', ({ journal }) => journal.push(...journal.map((entry) => ({ ...entry, ids: ['job-2'] })))],
  ['unanswered', ({ journal }) => journal.splice(0)],
  ['wrong_answer', ({ journal }) => journal.push(...journal.map((entry) => ({ ...entry, status: 409 })))],
  ['stuck', ({ jobs }) => Object.assign(jobs[0] ?? {}, { status: 'queued' })],
  ['wrong_end', ({ jobs }) => Object.assign(jobs[0] ?? {}, { status: 'cancelled' })],
  ['dead_letter_missing', ({ jobs }) => Object.assign(jobs[0] ?? {}, { status: 'failed' })],
  [
    'final_state_changed',
    ({ transitions }) => transitions.push(transition({ at: 5, old_status: 'completed', status: 'failed' })),
  ],
  ['too_many_attempts', ({ transitions }) => Object.assign(transitions[1] ?? {}, { max_attempts: 0 })],
  ['attempt_without_outcome', ({ attempts }) => attempts.splice(0)],
  ['outcome_without_attempt', ({ attempts }) => attempts.push(...attempts)],
  ['attempts_miscounted', ({ jobs }) => Object.assign(jobs[0] ?? {}, { attempt: 2 })],
  [
    'stolen',
    ({ transitions }) => transitions.splice(2, 0, { ...ended, status: 'running', worker: 'host-2-b' }),
  ],
  [
    'over_limit',
    ({ transitions }) => {
      transitions.splice(2, 0, { ...claimed, job_id: 'job-2', worker: 'host-2-b', at: 3 });
      for (const one of transitions) one.running_limit = 1;
    },
  ],
  ['over_slots', ({ transitions }) => transitions.splice(2, 0, { ...claimed, job_id: 'job-2', at: 3 })],
  ['unfenced_write', ({ pageWrites }) => pageWrites.push({ ...page, status: 'completed' })],
  ['unfenced_write', ({ pageWrites }) => pageWrites.push({ ...page, position: 1, holder: 'host-2-b' })],
  ['page_twice', ({ pageWrites }) => pageWrites.push({ ...page, writer_attempt: 2, holder_attempt: 2 })],
  [
    'taken_over_alive',
    ({ transitions, attempts }) => {
      Object.assign(transitions[2] ?? {}, { status: 'queued' });
      Object.assign(attempts[0] ?? {}, { outcome: 'crashed' });
    },
  ],
  ['ledger', ({ events }) => events.pop()],
  ['ledger', ({ events }) => events.push(event('job.completed'))],
  ['ledger_order', ({ events }) => events.reverse()],
  ['unpublished', (snapshot) => Object.assign(snapshot, { unpublished: 1 })],
  ['message_left', (snapshot) => Object.assign(snapshot, { queued: 1 })],
  ['waited_too_long', ({ transitions }) => Object.assign(transitions[1] ?? {}, { at: 60_000 })],
];

test.each(wrong)('%s is detected (%#)', (kind, spoil) => {
  const snapshot = right();
  spoil(snapshot);
  expect(kindsOf(snapshot)).toContain(kind);
});
