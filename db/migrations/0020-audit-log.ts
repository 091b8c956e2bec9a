import type { Migration } from './migration.ts';

/** Who did what, with which key and from where. Entries outlive users, keys and jobs, so they reference none. */
export const auditLog: Migration = {
  name: '0020-audit-log',
  sql: `
    CREATE TABLE audit_log (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      action text NOT NULL,
      -- Who did it. All null: the installation itself.
      user_id uuid,
      user_email text,
      key_id uuid,
      key_prefix text,
      address text,
      request_id text,
      -- What it was done to, and whose that was.
      target_kind text NOT NULL,
      target_id text,
      target_user_id uuid,
      details json NOT NULL
    );
    CREATE INDEX audit_log_newest ON audit_log (created_at, id);
    CREATE INDEX audit_log_by_user ON audit_log (user_id, created_at, id);
    CREATE INDEX audit_log_by_key ON audit_log (key_id, created_at, id);
    CREATE INDEX audit_log_by_target ON audit_log (target_id, created_at, id);
    CREATE INDEX audit_log_by_action ON audit_log (action, created_at, id);

    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'entries of the audit log never change';
    END $$;
    CREATE TRIGGER audit_log_append_only BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
  `,
};
