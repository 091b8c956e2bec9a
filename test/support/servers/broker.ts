export interface TestVhost {
  url: string;
  drop(): Promise<void>;
}

/** An empty vhost of its own on the tests' RabbitMQ, which starts on first use. */
export async function createVhost(): Promise<TestVhost> {
  const service = process.env.TEST_BROKER_SERVICE;
  if (!service) throw new Error('no test RabbitMQ: run the tests with `node scripts/jest.mjs`');
  const response = await fetch(service, { method: 'POST' });
  const said = await response.text();
  if (!response.ok) throw new Error(said);
  // The vhost is not deleted: that costs an Erlang start, and the whole broker goes when the run
  // ends.
  return { url: said, drop: async () => {} };
}
