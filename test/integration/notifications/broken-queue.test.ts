import { expect, test } from '@jest/globals';
import { startRabbitmq } from '../../support/servers/rabbitmq.mjs';
import { waitFor } from '../../support/wait-for.ts';
import { startNotifying } from './notifier-fixture.ts';

test.each([
  ['of the fan-out', ['job_notifications', 'urgent_notifications']],
  ['of a channel', ['webhook_notifications']],
])(
  'queues %s that do not come up are recreated, and their messages are processed',
  async (_name, broken) => {
    const broker = await startRabbitmq();
    const fixture = await startNotifying({ driver: 'rabbitmq', brokerUrl: broker.url, notifier: false });
    try {
      const { key } = await fixture.api.addUser();
      const events = ['job.completed', 'job.failed'];
      const target = `${fixture.receiver.url}/all`;
      await fixture.subscribe({ events, channel: 'in_app' }, key);
      await fixture.subscribe({ events, channel: 'webhook', target }, key);
      const jobs = [await fixture.end('completed', {}, key), await fixture.end('failed', {}, key)];
      const arrived = async () => (await fixture.queue.depth('job_notifications')) >= jobs.length;
      await waitFor(arrived, { what: 'the messages to be in the queue' });
      for (const queue of broken) await broker.breakQueue(queue);
      await fixture.startNotifier();
      await waitFor(() => fixture.receiver.requests.length >= jobs.length, {
        timeoutMs: 90_000,
        what: 'the webhooks',
      });
      const { notifications } = (await fixture.get('/notifications', key)).json;
      expect(notifications.map(({ job_id }: { job_id: string }) => job_id).sort()).toEqual([...jobs].sort());
      const posted = fixture.receiver.requests.map(({ body }) => JSON.parse(String(body)).data.job_id);
      expect(posted.sort()).toEqual([...jobs].sort());
      // The others are unchanged.
      jobs.push(await fixture.end('completed', {}, key));
      await fixture.settled();
      expect(fixture.receiver.requests).toHaveLength(jobs.length);
    } finally {
      await fixture.stop();
      await broker.close();
    }
  },
  180_000,
);
