import webPush from 'web-push';
import type { SendOutcome } from '../../../core/notifications/delivery.ts';
import { wordingOf } from '../../../core/notifications/notification.ts';
import type { VapidKeys } from '../../../core/notifications/vapid.ts';
import type { ClaimedDelivery } from '../../../db/notifications/deliveries/claim.ts';
import type { PushTarget } from '../../../db/notifications/subscriptions.ts';
import type { NotifyConfig } from '../../../runtime/settings/config.ts';
import type { HttpClient } from '../../../scraping/http/client.ts';
import { type Channel, refused } from '../channel.ts';
import type { JobUrls } from '../job-urls.ts';
import { post } from '../post.ts';

/** A push service drops a message this old: newer ones have replaced it. */
const TIME_TO_LIVE_S = 24 * 3600;

/**
 * Web Push (RFC 8030, 8291, 8292). The payload is encrypted for the browser alone; its service
 * worker gets `{id, type, title, text, job_id, url, occurred_at}`.
 */
export const createPushChannel = (options: {
  http: HttpClient;
  config: NotifyConfig;
  keys: VapidKeys;
  jobUrls: JobUrls;
}): Channel => ({
  name: 'push',
  maxAttempts: options.config.attempts,
  retry: options.config.retry,
  concurrency: options.config.concurrency,
  leases: 1,
  circuitKey: ({ target }) => new URL(target).host,
  send: async ([delivery], signal) => {
    if (!delivery.push) {
      const message = 'the browser subscription is gone, or cannot be decrypted';
      return refused({ code: 'push_keys_invalid', message });
    }
    const url = delivery.jobId ? (await options.jobUrls([delivery.jobId])).get(delivery.jobId) : undefined;
    const { endpoint, headers, body } = requestFor(delivery, delivery.push, url, options) ?? {};
    if (!endpoint || !headers || !body) {
      const message = 'the browser subscription has keys that cannot be used';
      return { ...refused({ code: 'push_keys_invalid', message }), gone: true } as SendOutcome;
    }
    const outcome = await post(options.http, endpoint, { body, headers, signal });
    return expiredOf(outcome);
  },
});

function requestFor(
  delivery: ClaimedDelivery,
  target: PushTarget,
  url: string | undefined,
  { config, keys }: { config: NotifyConfig; keys: VapidKeys },
) {
  const { id, type, jobId, data, occurredAt, urgent } = delivery;
  const payload = JSON.stringify({
    id,
    type,
    ...wordingOf(type, data),
    job_id: jobId,
    url: url ?? null,
    occurred_at: occurredAt,
  });
  try {
    const { endpoint, headers, body } = webPush.generateRequestDetails(target, payload, {
      vapidDetails: { subject: config.vapidSubject, ...keys },
      TTL: TIME_TO_LIVE_S,
      urgency: urgent ? 'high' : 'normal',
    });
    const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
    return { endpoint, headers: Object.fromEntries(named) as Record<string, string>, body };
  } catch {
    // A point that is not on the curve. The error is dropped, because its details contain key
    // material.
    return null;
  }
}

/** A push service answers 404 or 410 for an expired subscription, which is then deleted. */
function expiredOf(outcome: SendOutcome): SendOutcome {
  if (outcome.kind === 'retry' && outcome.receipt.status === 404) {
    const error = { code: 'gone', message: 'the push service knows no such subscription any more (404)' };
    return { kind: 'refused', error, receipt: outcome.receipt, gone: true };
  }
  // Too large, unauthorized, malformed: the same message would fail again.
  if (outcome.kind === 'retry' && [400, 401, 403, 413].includes(outcome.receipt.status ?? 0)) {
    const error = { code: 'push_rejected', message: `the push service answered ${outcome.receipt.status}` };
    return { kind: 'refused', error, receipt: outcome.receipt };
  }
  return outcome;
}
