import { asAdmin } from '../postgres.ts';

/**
 * An independent record, kept by triggers in the database and read only by the auditor: every
 * change of a job's state and holder in the order in which it happened (the row's lock is held),
 * and every page written, with the job's holder at that moment.
 */
export const installRecorder = (adminUrl: string, leaseMs: number): Promise<void> =>
  asAdmin(adminUrl, async (admin) => {
    await admin.query(recorder(leaseMs));
  });

const recorder = (leaseMs: number) => `
CREATE SCHEMA chaos;
CREATE TABLE chaos.transitions (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  job_id uuid NOT NULL,
  old_status text, status text NOT NULL,
  old_attempt int, attempt int NOT NULL, max_attempts int NOT NULL,
  old_worker text, worker text,
  -- Time since the holder's last heartbeat.
  silent_ms float8,
  -- Whose the job is, and how many of theirs may run at once.
  user_id uuid NOT NULL, running_limit int
);
CREATE INDEX ON chaos.transitions (job_id, seq);
CREATE INDEX ON chaos.transitions (at);
CREATE TABLE chaos.page_writes (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  job_id uuid NOT NULL, position int NOT NULL, failed boolean NOT NULL,
  writer text, writer_attempt int,
  holder text, holder_attempt int, status text
);

-- When a job was put on the queue, and when that mark was cleared.
CREATE TABLE chaos.dispatches (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  job_id uuid NOT NULL, dispatched boolean NOT NULL
);

CREATE FUNCTION chaos.record_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO chaos.transitions (job_id, status, attempt, max_attempts, user_id, running_limit)
    SELECT NEW.id, NEW.status, NEW.attempt, NEW.max_attempts, u.id, running_limit(u) FROM users u WHERE u.id = NEW.user_id;
  ELSE
    INSERT INTO chaos.transitions (job_id, old_status, status, old_attempt, attempt, max_attempts, old_worker, worker, silent_ms,
                                   user_id, running_limit)
    SELECT NEW.id, OLD.status, NEW.status, OLD.attempt, NEW.attempt, NEW.max_attempts, OLD.worker_id, NEW.worker_id,
            ${leaseMs} - extract(epoch FROM OLD.lease_until - clock_timestamp()) * 1000,
           u.id, running_limit(u) FROM users u WHERE u.id = NEW.user_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_job_inserted AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION chaos.record_job();
CREATE TRIGGER chaos_job_changed AFTER UPDATE ON jobs FOR EACH ROW
  WHEN ((OLD.status, OLD.attempt, OLD.worker_id) IS DISTINCT FROM (NEW.status, NEW.attempt, NEW.worker_id))
  EXECUTE FUNCTION chaos.record_job();

CREATE FUNCTION chaos.record_dispatch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO chaos.dispatches (job_id, dispatched) VALUES (NEW.id, NEW.dispatched_at IS NOT NULL);
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_job_dispatched AFTER UPDATE ON jobs FOR EACH ROW
  WHEN (NEW.status = 'queued' AND OLD.dispatched_at IS DISTINCT FROM NEW.dispatched_at)
  EXECUTE FUNCTION chaos.record_dispatch();

CREATE FUNCTION chaos.record_page() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO chaos.page_writes (job_id, position, failed, writer, writer_attempt, holder, holder_attempt, status)
  SELECT NEW.job_id, NEW.position, NEW.failed, NEW.content->'metadata'->>'worker',
         (NEW.content->'metadata'->>'attempt')::int, worker_id, attempt, jobs.status
  FROM jobs WHERE id = NEW.job_id;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_page_written AFTER INSERT OR UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION chaos.record_page();
`;
