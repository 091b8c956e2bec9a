import type { Database } from '../../db/connect.ts';
import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { unsubscribeKey, vapidKeys } from '../../db/secrets/installation-secrets.ts';
import { createBlockedRequestCounter } from '../../db/sites/blocked-request-counter.ts';
import { openQueue } from '../../queue/open.ts';
import { runConfigured } from '../../runtime/process/process.ts';
import type { Config } from '../../runtime/settings/config.ts';
import { createEgressGuard } from '../../scraping/egress/guard.ts';
import { createHttpClient } from '../../scraping/http/client.ts';
import type { Channel } from './channel.ts';
import { createEmailChannel, createNoEmailChannel } from './channels/email.ts';
import { createPushChannel } from './channels/push.ts';
import { createWebhookChannel } from './channels/webhook.ts';
import { createJobUrls, type JobUrls } from './job-urls.ts';
import { createNotifier } from './notifier.ts';

const USER_AGENT = 'LeadEngine-Webhooks/1.0';

/**
 * Notifies users by mail, push, webhook and in the app. One process is enough; several share the
 * work.
 */
runConfigured('notifier', async ({ config, logger, lifecycle }) => {
  const applicationName = 'leadengine notifier';
  const url = await databaseUrlOf(config);
  const database = await openDatabase({
    ...{ url, poolSize: config.databasePoolSize, applicationName, logger },
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });

  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const refusals = createBlockedRequestCounter(database, logger);
  await lifecycle.start({ name: 'refusals', start: refusals.start, stop: refusals.stop });
  const guard = createEgressGuard({
    ...{ allow: config.egressAllow, deny: config.egressDeny },
    ...{ logger, onBlocked: refusals.count },
  });
  const http = createHttpClient({ guard, logger, userAgent: USER_AGENT });
  await lifecycle.start({ name: 'http', stop: () => http.stop() });

  const { notify, publicUrl, leaseMs, shutdownGraceMs } = config;
  const jobUrls = createJobUrls({ sql: database, publicUrl, logger });
  const channels: Channel[] = [
    await emailChannel(database, config, jobUrls),
    createPushChannel({ http, config: notify, keys: await vapidKeys(database, notify.vapid), jobUrls }),
    createWebhookChannel(http, notify),
  ];
  const { mailPace, webhookPauseAfterMs: pauseAfterMs } = notify;
  const rule = { pauseAfterMs, mail: notify.smtpUrl !== undefined };
  const notifier = createNotifier({
    ...{ database, queue, channels, mailPace, rule, logger },
    ...{ leaseMs: Math.max(leaseMs, 3000), shutdownGraceMs },
  });
  await lifecycle.start({ name: 'notifier', start: () => notifier.start(), stop: () => notifier.stop() });
  for (const channel of channels) {
    await lifecycle.start({ name: channel.name, stop: () => channel.stop?.() });
  }
  logger.info('notifier_started', { email: notify.smtpUrl !== undefined });
  process.send?.({ type: 'ready' });
});

async function emailChannel(database: Database, config: Config, jobUrls: JobUrls) {
  const { notify, publicUrl } = config;
  if (notify.smtpUrl === undefined) return createNoEmailChannel(notify);
  return createEmailChannel({
    config: { ...notify, smtpUrl: notify.smtpUrl },
    ...{ publicUrl, jobUrls, unsubscribeKey: await unsubscribeKey(database) },
  });
}
