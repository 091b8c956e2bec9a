import type { Migration } from './migration.ts';

/**
 * Whose job is dispatched next: users take turns, each with its share of the fleet's slots and at
 * most so many jobs at once. How it works: docs/internals/decisions/0016-fair-turns.md.
 *
 * The indexes of jobs that wait, are on the queue, or run lead with the user: what the dispatcher
 * reads of one user does not grow with what others have waiting.
 */
export const fairTurns: Migration = {
  name: '0025-fair-turns',
  sql: `
    ALTER TABLE users
      -- The user's share of the slots beside other users with work: one with 2 gets twice as much as one with 1.
      ADD COLUMN fair_share_weight double precision NOT NULL DEFAULT 1
        CHECK (fair_share_weight >= 0.001 AND fair_share_weight <= 1000);

    -- How many jobs of a user may run at once; null for no limit.
    CREATE FUNCTION running_limit(u users) RETURNS integer LANGUAGE sql STABLE AS $$
      SELECT ((coalesce((SELECT r.limits FROM role_limits r WHERE r.role = u.role), '{}') || u.limits)->>'max_running_jobs')::numeric::integer
    $$;

    CREATE INDEX jobs_waiting_of_user ON jobs (user_id, priority DESC, created_at, id)
      WHERE status = 'queued' AND dispatched_at IS NULL;
    DROP INDEX jobs_waiting;
    CREATE INDEX jobs_dispatched_of_user ON jobs (user_id, priority, dispatched_at)
      WHERE status = 'queued' AND dispatched_at IS NOT NULL;
    DROP INDEX jobs_dispatched;
    -- As many as there are slots: the rescuer and the dispatcher read them all.
    CREATE INDEX jobs_running_of_user ON jobs (user_id, attempt_started_at) WHERE status = 'running';
    DROP INDEX jobs_running;

    -- Written by the leading dispatcher alone. Unlogged: after a crash of Postgres all users start equal, and those
    -- with waiting jobs are found by the index above.
    CREATE UNLOGGED TABLE turns (
      user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
      -- Milliseconds of slots that the user's ended runs took, per weight; an idle user's is raised to that of the others.
      virtual_ms double precision NOT NULL,
      -- The user has jobs that wait in Postgres.
      waiting boolean NOT NULL
    );
    CREATE INDEX turns_waiting ON turns (virtual_ms, user_id) WHERE waiting;
    CREATE INDEX turns_by_virtual_ms ON turns (virtual_ms);

    -- Tells the dispatcher whose turns changed: jobs began to wait, or a run ended. Rows are only added and removed, so
    -- that statements of one user never wait for each other. Without an index: it is emptied ten times a second.
    CREATE UNLOGGED TABLE turn_changes (
      user_id uuid NOT NULL,
      -- How long the run that ended had a slot; 0 if none ended.
      slot_ms double precision NOT NULL,
      due_at timestamptz NOT NULL
    );

    -- How many more jobs of each of these users may start, for users with a limit. Holds others who ask for the same
    -- user until the caller's transaction ends. A function because each of its statements sees what was committed before
    -- it: in one statement, the count would be as old as the wait for the lock.
    CREATE FUNCTION room_for_running_jobs(users_asked uuid[]) RETURNS TABLE (user_id uuid, room integer)
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      IF cardinality(users_asked) = 0 THEN
        RETURN;
      END IF;
      -- In the order of the keys, so that two callers do not deadlock.
      PERFORM pg_advisory_xact_lock(4203018, key)
        FROM (SELECT DISTINCT hashtext(id::text) AS key FROM unnest(users_asked) AS a (id) ORDER BY 1) AS keys;
      RETURN QUERY
        SELECT u.id, running_limit(u) - (SELECT count(*)::integer FROM jobs j WHERE j.user_id = u.id AND j.status = 'running')
        FROM users u WHERE u.id = ANY (users_asked) AND running_limit(u) IS NOT NULL;
    END
    $$;
  `,
};
