/**
 * SQL that fills a database to a size at which Postgres has to choose its plans; for `explain` and
 * for test/integration/db/explain.test.ts.
 */

/** Of a thousand jobs: 10 wait, 1 is dispatched, 1 runs, 1 is due, 4 wait for their time, 30 failed, 10 cancelled. */
export const fillJobs = (rows: number): string => `
  INSERT INTO users (email, name, role) SELECT 'user' || n || '@example.com', 'User ' || n, 'member' FROM generate_series(1, 20) AS n;
  WITH numbered AS (
    SELECT n, n % 1000 AS kind, now() - (${rows} - n) * interval '1 s' AS created_at FROM generate_series(1, ${rows}) AS n
  ), numbered_users AS (SELECT id, row_number() OVER () AS place FROM users)
  INSERT INTO jobs (id, user_id, status, priority, attempt, max_attempts, spec, correlation_id, created_at, run_at,
                    dispatched_at, started_at, attempt_started_at, worker_id, lease_until, finished_at)
  SELECT gen_random_uuid(), p.id,
         CASE WHEN kind < 11 THEN 'queued' WHEN kind < 12 THEN 'running' WHEN kind < 14 THEN 'scheduled'
              WHEN kind < 17 THEN 'retrying' WHEN kind < 47 THEN 'failed' WHEN kind < 57 THEN 'cancelled'
              ELSE 'completed' END,
         n % 3, CASE WHEN kind < 11 THEN 0 ELSE 1 END, 3,
         '{"urls":["https://example.com/catalogue/page-1.html"],"formats":["markdown","links"]}', 'bench-' || n,
         created_at, created_at + CASE WHEN kind BETWEEN 13 AND 16 THEN interval '90 days' ELSE interval '0' END,
         CASE WHEN kind = 0 THEN now() END, CASE WHEN kind >= 11 THEN created_at END,
         CASE WHEN kind >= 11 THEN created_at END, CASE WHEN kind >= 11 THEN 'worker-' || n % 7 END,
         CASE WHEN kind = 11 THEN now() + CASE WHEN n % 20000 = 11 THEN interval '-1 s' ELSE interval '1 day' END END,
         CASE WHEN kind >= 17 THEN created_at + interval '5 s' END
  FROM numbered JOIN numbered_users p ON p.place = n % 20 + 1;
  INSERT INTO attempts (job_id, started_at, attempt, worker_id, outcome, finished_at)
  SELECT id, started_at, 1, worker_id, status, finished_at FROM jobs WHERE finished_at IS NOT NULL;
  INSERT INTO idempotent_answers (user_id, route, key, body_hash, answer, created_at)
  SELECT user_id, 'POST /links', id, 'hash', '{}', created_at FROM jobs;
  INSERT INTO events (xid, type, version, user_id, job_id, correlation_id, data)
  SELECT (1 + row_number() OVER (ORDER BY id) * 500 / ${rows})::text::xid8, 'job.created', '1.0', user_id, id, correlation_id,
         json_build_object('job_id', id, 'status', status)
  FROM jobs;
  INSERT INTO audit_log (created_at, action, user_id, key_id, target_kind, target_id, details)
  SELECT created_at, 'job.viewed', user_id, user_id, 'job', id, '{}' FROM jobs;
  INSERT INTO schedules (id, user_id, cron, timezone, job, overlap, missed, jitter_seconds, starts_at, paused, created_at,
                         next_due_at, next_start_at, last_job_id)
  SELECT gen_random_uuid(), user_id, '0 9 * * *', 'UTC', spec, 'skip', 'run_once', 0, created_at, false, created_at,
         now() + interval '1 day', now() + interval '1 day', id FROM jobs;
  INSERT INTO schedule_runs (id, schedule_id, due_at, outcome, job_id, decided_at)
  SELECT gen_random_uuid(), id, created_at, 'started', last_job_id, created_at FROM schedules;
  UPDATE event_cursors SET xid = '500', seq = (SELECT min(seq) + 100 FROM events WHERE xid = '500') WHERE reader = 'relay';
`;

/** A user without anything. */
export const SMALL_USER = '00000000-0000-0000-0000-000000000001';

/**
 * 5,000 more users with an endpoint and four subscriptions each; each job has notified its user in
 * the app, two thirds of them unread, and by one of three channels. Of a thousand deliveries: 1 is
 * due, 3 wait, 10 failed; of 20,000: 1 is on the queue, 1 being sent, as windows and slots
 * determine.
 */
export const FILL_NOTIFICATIONS = `
  INSERT INTO users (id, email, name, role) VALUES ('${SMALL_USER}', 'small@example.com', 'Small', 'member');
  INSERT INTO users (email, name, role) SELECT 'sub' || n || '@example.com', 'Sub ' || n, 'member' FROM generate_series(1, 5000) AS n;
  INSERT INTO webhook_receivers (id, user_id, url, secret)
  SELECT gen_random_uuid(), id, 'https://example.com/' || email, '\\x00'::bytea FROM users;
  INSERT INTO webhooks (user_id, url, receiver_id) SELECT user_id, url, id FROM webhook_receivers;
  INSERT INTO subscriptions (user_id, events, channel, target, webhook_id)
  SELECT u.id, ARRAY['job.completed', 'job.failed'], c.channel,
         CASE c.channel WHEN 'email' THEN u.email WHEN 'push' THEN '{}' END,
         CASE c.channel WHEN 'webhook' THEN (SELECT w.id FROM webhooks w WHERE w.user_id = u.id LIMIT 1) END
  FROM users u CROSS JOIN (VALUES ('in_app'), ('email'), ('push'), ('webhook')) AS c (channel);
  INSERT INTO notifications (user_id, event_id, type, urgent, job_id, data, occurred_at, created_at, read_at)
  SELECT user_id, gen_random_uuid(), 'job.completed', false, id, json_build_object('job_id', id), created_at, created_at,
         CASE WHEN row_number() OVER (ORDER BY created_at) % 3 = 0 THEN created_at END
  FROM jobs ORDER BY created_at;
  WITH numbered AS (
    SELECT id, user_id, created_at,
           CASE WHEN n % 20000 IN (1, 2) OR n % 1000 NOT IN (1, 2) THEN n % 1000 ELSE 999 END AS kind,
           (ARRAY['email', 'push', 'webhook'])[(n / 1000) % 3 + 1] AS channel
    FROM (SELECT id, user_id, created_at, row_number() OVER (ORDER BY created_at) AS n FROM jobs) AS j
  )
  INSERT INTO deliveries (event_id, user_id, channel, target, webhook_id, type, urgent, job_id, correlation_id, data, occurred_at,
                          status, attempt, due_at, dispatched_at, lease_until, holder, created_at, finished_at)
  SELECT gen_random_uuid(), n.user_id, n.channel, CASE n.channel WHEN 'webhook' THEN w.id::text WHEN 'email' THEN u.email ELSE '{}' END,
         CASE n.channel WHEN 'webhook' THEN w.id END, 'job.completed', false, n.id, 'bench', json_build_object('job_id', n.id),
         n.created_at,
         CASE WHEN kind < 2 OR kind IN (3, 4, 5) THEN 'queued' WHEN kind = 2 THEN 'sending' WHEN kind < 16 THEN 'failed'
              ELSE 'delivered' END,
         CASE WHEN kind < 2 THEN 0 ELSE 1 END, now() + CASE WHEN kind IN (3, 4, 5) THEN interval '1 day' ELSE interval '-1 s' END,
         CASE WHEN kind = 1 THEN now() END,
         CASE WHEN kind = 2 THEN now() + CASE WHEN n.id::text < '05' THEN interval '-1 s' ELSE interval '1 day' END END,
         CASE WHEN kind = 2 THEN 'notifier-' || n.id END, n.created_at, CASE WHEN kind > 5 THEN n.created_at END
  FROM numbered n JOIN users u ON u.id = n.user_id JOIN webhooks w ON w.user_id = u.id;
  UPDATE deliveries SET mail_id = gen_random_uuid() WHERE channel = 'email' AND status = 'delivered';
  INSERT INTO email_throttle (user_id, address, sent_at) SELECT id, email, now() FROM users;
  INSERT INTO dead_letters (user_id, delivery_id, queue, code, message)
  SELECT user_id, id, channel || '_notifications', 'http_error', 'it answered 500' FROM deliveries WHERE status = 'failed';
  INSERT INTO delivery_attempts (delivery_id, finished_at, duration_ms, status_code)
  SELECT id, finished_at, 10, 204 FROM deliveries WHERE finished_at IS NOT NULL;
  INSERT INTO turns (user_id, virtual_ms, waiting) SELECT id, 1000 * random(), random() < 0.5 FROM users;
`;

/**
 * The tables that neither of the others fills, run after `fillJobs`: pages, leads, addresses of
 * crawls, links and their statistics, hosts.
 */
export const fillResults = (rows: number): string => `
  INSERT INTO api_keys (user_id, name, prefix, hash)
  SELECT id, 'key', 'le_', decode(md5(id::text || n), 'hex') FROM users, generate_series(1, greatest(1, ${rows} / 5000)) AS n;
  INSERT INTO idempotency_keys (user_id, key, body_hash, job_ids, created_at)
  SELECT user_id, id::text, 'hash', ARRAY[id], created_at FROM jobs;
  INSERT INTO pages (job_id, position, failed, content)
  SELECT id, n, n = 1, '{"url":"https://example.com/"}' FROM jobs, generate_series(0, 1) AS n;
  INSERT INTO usage_daily (user_id, owner_id, day, shard, pages)
  SELECT u.id, u.id, current_date - n, 1, 10 FROM users u, generate_series(0, greatest(10, ${rows} / 5000)) AS n;
  INSERT INTO storage_usage (user_id, shard, bytes) SELECT u.id, n, 1000 FROM users u, generate_series(0, 1) AS n;
  INSERT INTO artifacts (job_id, position, name, content_type)
  SELECT job_id, position, 'screenshot', 'image/png' FROM pages WHERE position = 0;
  INSERT INTO artifact_folders (name, job_id) SELECT id, id FROM jobs;
  INSERT INTO crawl_urls (job_id, position, url, depth, pattern_depth)
  SELECT id, n, 'https://example.com/' || n, 1, 0 FROM jobs, generate_series(0, 1) AS n;
  INSERT INTO leads (job_id, key, user_id, domain, countries, sources, has_email, has_phone, search_vector, content)
  SELECT id, 'business' || n % 20000, user_id, 'business' || n % 20000 || '.example.com', '{AT}', '{website}', n % 2 = 0, n % 3 = 0,
         to_tsvector('simple', 'business' || n % 20000 || ' acme gmbh wien'), '{}'
  FROM (SELECT id, user_id, row_number() OVER () AS n FROM jobs) AS j;
  INSERT INTO lead_candidates (job_id, key, failed) SELECT job_id, key, false FROM leads;
  INSERT INTO dead_letters (job_id, user_id, queue, code, message)
  SELECT id, user_id, 'scrape_jobs', 'timeout', 'late' FROM jobs WHERE status = 'failed';
  INSERT INTO dead_letters (queue, code, message, body, fingerprint, resolved_at, resolution)
  SELECT 'scrape_jobs', 'unreadable_message', 'not JSON', '{', n, now(), 'discarded' FROM generate_series(1, ${rows}) AS n;
  INSERT INTO links (code, user_id, url, share, job_id, created_at, deleted_at)
  SELECT 'code' || n, user_id, 'https://example.com/', n % 10 = 0, id, created_at, CASE WHEN n % 100 = 0 THEN now() END
  FROM (SELECT *, row_number() OVER () AS n FROM jobs) AS j;
  INSERT INTO events (xid, type, version, user_id, correlation_id, data)
  SELECT '400', 'link.created', '1.0', user_id, code, json_build_object('code', code) FROM links LIMIT 1000;
  INSERT INTO clicks (id, link_id, clicked_at, kind, visitor)
  SELECT gen_random_uuid(), id, now() - interval '1 minute' * row_number() OVER (), 'person', 1 FROM links;
  INSERT INTO link_hourly (link_id, hour, human_clicks, visitors, bot_clicks, head_requests)
  SELECT id, date_trunc('hour', now()) - n * interval '1 hour', 1, 1, 0, 0 FROM links, generate_series(1, 2) AS n;
  INSERT INTO link_daily (link_id, day, human_clicks, visitors, bot_clicks, head_requests)
  SELECT id, current_date - n, 1, 1, 0, 0 FROM links, generate_series(1, 2) AS n;
  INSERT INTO link_breakdowns (link_id, day, kind, value, clicks)
  SELECT id, current_date - 1, kind, 'x', 1 FROM links, (VALUES ('referrer'), ('device')) AS k (kind);
  INSERT INTO link_visitors (link_id, day, visitor, hours_mask) SELECT id, current_date - n, n, 1 FROM links, generate_series(1, 2) AS n;
  INSERT INTO job_hourly
  SELECT u.id, date_trunc('hour', now()) - n * interval '1 hour', 1, 1, 1, 0, 0, 0, 1, 0, 0
  FROM users u, generate_series(1, greatest(10, ${rows} / 5000)) AS n;
  INSERT INTO job_histograms (user_id, day, measure, bucket, jobs)
  SELECT u.id, current_date - 1, 'duration', n, 1 FROM users u, generate_series(1, greatest(10, ${rows} / 5000)) AS n;
  INSERT INTO job_breakdowns (user_id, day, kind, value, jobs, pages, leads)
  SELECT u.id, current_date - 1, 'host', 'host' || n, 1, 1, 0 FROM users u, generate_series(1, greatest(10, ${rows} / 5000)) AS n;
  INSERT INTO hosts (host, used_at) SELECT 'host' || n || '.example.com', now() - n * interval '1 s' FROM generate_series(1, ${rows}) AS n;
  INSERT INTO robots (origin, fresh_until) SELECT 'https://' || host, used_at FROM hosts;
  INSERT INTO rendering_types (host, engine, reason, streak) SELECT host, 'http', 'enough_text', 1 FROM hosts;
  INSERT INTO deletions (kind, user_id, requested_by, created_at, finished_at)
  SELECT 'jobs', id, id, now() - n * interval '1 s', CASE WHEN n % 100 > 0 THEN now() END
  FROM (SELECT id, row_number() OVER () AS n FROM users) AS u;
  INSERT INTO suppressions (user_id, kind, hash, national_hash, requested_by, created_at)
  SELECT id, 'phone', decode(md5(id::text), 'hex'), decode(md5(id::text || 'n'), 'hex'), id, created_at FROM users;
  INSERT INTO artifact_leftovers (deletion_id, job_id, position, name)
  SELECT d.id, j.id, 0, 'a' FROM (SELECT id FROM deletions LIMIT 10) AS d, (SELECT id FROM jobs LIMIT 200) AS j;
  INSERT INTO deleted_jobs (id, deleted_at) SELECT gen_random_uuid(), created_at FROM jobs;
  INSERT INTO queue.messages (queue, body, holder)
  SELECT 'queue_' || n % 50, '{}', CASE WHEN n % 1000 = 0 THEN 1 END FROM generate_series(1, ${rows}) AS n;
`;
