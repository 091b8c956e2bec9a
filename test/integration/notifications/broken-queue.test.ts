import { expect, test } from '@jest/globals';
import { startRabbitmq } from '../../support/servers/rabbitmq.mjs';
import { waitFor } from '../../support/wait-for.ts';
import { startNotifying } from './notifier-fixture.ts';

test.each([
  ['of the fan-out', ['job_notifications', 'urgent_notifications']],
  ['of a channel', ['webhook_notifications']],
])(
  'queues %s that do not recover are recreated, and their notifications are sent',
  async (_name, broken) => {
    const broker = await startRabbitmq();
    const told = await startNotifying({ driver: 'rabbitmq', brokerUrl: broker.url, notifier: false });
    try {
      const { key } = await told.api.addUser();
      const events = ['job.completed', 'job.failed'];
      const target = `${told.receiver.url}/all`;
      await told.subscribe({ events, channel: 'in_app' }, key);
      await told.subscribe({ events, channel: 'webhook', target }, key);
      const jobs = [await told.end('completed', {}, key), await told.end('failed', {}, key)];
      const arrived = async () => (await told.queue.depth('job_notifications')) >= jobs.length;
      await waitFor(arrived, { what: 'the messages to be in the queue' });
      for (const queue of broken) await broker.breakQueue(queue);
      await told.startNotifier();
      await waitFor(() => told.receiver.requests.length >= jobs.length, {
        timeoutMs: 90_000,
        what: 'the webhooks',
      });
      const { notifications } = (await told.get('/notifications', key)).json;
      expect(notifications.map(({ job_id }: { job_id: string }) => job_id).sort()).toEqual([...jobs].sort());
      const posted = told.receiver.requests.map(({ body }) => JSON.parse(String(body)).data.job_id);
      expect(posted.sort()).toEqual([...jobs].sort());
      // The others were left as they are.
      jobs.push(await told.end('completed', {}, key));
      await told.settled();
      expect(told.receiver.requests).toHaveLength(jobs.length);
    } finally {
      await told.stop();
      await broker.close();
    }
  },
  180_000,
);
