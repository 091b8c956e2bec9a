import type { Migration } from './migration.ts';

/** First answers of requests that create something other than jobs, for those that come again under the same key. */
export const idempotentAnswers: Migration = {
  name: '0012-idempotent-answers',
  sql: `
    CREATE TABLE idempotent_answers (
      user_id uuid NOT NULL REFERENCES users,
      route text NOT NULL,
      key text NOT NULL,
      body_hash text NOT NULL,
      answer text,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (user_id, route, key)
    );
    CREATE INDEX idempotent_answers_by_age ON idempotent_answers USING brin (created_at);
  `,
};
