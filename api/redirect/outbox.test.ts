import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createEnvelope, type Envelope } from '../../queue/envelope.ts';
import { type OutgoingMessage, PublishError } from '../../queue/queue.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { createOutbox, type Outbox } from './outbox.ts';

/** Against a place where messages go that can be away, as both drivers are from the outside; with them it is an end-to-end test. */

let dir: string;
let received: Map<string, number>;
let mode: 'well' | 'unhealthy' | 'rejects';
let outboxes: Outbox[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'leadengine-outbox-'));
  received = new Map();
  mode = 'well';
  outboxes = [];
});
afterEach(async () => {
  mode = 'well';
  await Promise.all(outboxes.map((outbox) => outbox.stop()));
  await rm(dir, { recursive: true });
});

const place = {
  publish: async (messages: OutgoingMessage[]) => {
    await new Promise(setImmediate);
    if (mode !== 'well') throw new PublishError('away');
    for (const { envelope } of messages) received.set(envelope.id, (received.get(envelope.id) ?? 0) + 1);
  },
  health: () => ({ healthy: mode !== 'unhealthy', driver: 'embedded' as const }),
};

async function open(spoolBytes?: number): Promise<Outbox> {
  const outbox = createOutbox({
    queue: place,
    dir,
    logger: silentLogger,
    ...(spoolBytes ? { spoolBytes } : {}),
  });
  outboxes.push(outbox);
  await outbox.start();
  return outbox;
}

const aClick = (): Envelope =>
  createEnvelope({
    ...{ type: 'link.clicked', version: '1.0', source: 'test', correlation_id: 'x', user_id: null },
    data: {},
  });

describe('clicks', () => {
  test('go straight to the queue while it is well', async () => {
    const outbox = await open();
    for (let left = 1000; left > 0; left -= 1) outbox.tell(aClick());
    await waitFor(() => received.size === 1000);
    expect(outbox.figures()).toMatchObject({ published: 1000, spooled: 0, dropped: 0 });
  });

  test.each(['unhealthy', 'rejects'] as const)('wait on the disk while it is away (%s)', async (how) => {
    const outbox = await open();
    mode = how;
    for (let left = 600; left > 0; left -= 1) outbox.tell(aClick());
    await waitFor(() => outbox.figures().atRisk === 0 && outbox.figures().spooled === 600);
    expect(received.size).toBe(0);
    mode = 'well';
    await waitFor(() => received.size === 600);
    await waitFor(() => outbox.figures().spoolBytes === 0);
  });

  test('that find no room are told', async () => {
    const size = JSON.stringify(aClick()).length + 1;
    const outbox = await open(size * 10);
    mode = 'unhealthy';
    for (let left = 25; left > 0; left -= 1) outbox.tell(aClick());
    await waitFor(() => outbox.figures().atRisk === 0);
    expect(outbox.figures()).toMatchObject({ spooled: 10, dropped: 15 });
  });

  test('are written down by a process that stops', async () => {
    const outbox = await open();
    mode = 'rejects';
    for (let left = 300; left > 0; left -= 1) outbox.tell(aClick());
    await outbox.stop();
    expect(outbox.figures()).toMatchObject({ atRisk: 0, spooled: 300 });
  });

  test('of a process that was killed are sent by the next, but for the line it was writing', async () => {
    // No process has this number: it is above the highest there may be.
    const owner = `${hostname()}.4194999.0123abcd`;
    const clicks = [aClick(), aClick(), aClick()];
    const lines = clicks.map((click) => `${JSON.stringify(click)}\n`).join('');
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, `${owner}.clicks`), `${lines}{"id":"torn`);
    await writeFile(join(dir, `${owner}.at-risk`), '7');
    const outbox = await open();
    await waitFor(() => received.size === 3);
    expect([...received.keys()]).toEqual(clicks.map(({ id }) => id));
    await waitFor(() => outbox.figures().uncertain === 7);
    await waitFor(async () => !(await readdir(dir)).some((name) => name.startsWith(owner)));
  });

  test('of another process that lives are left to it', async () => {
    const owner = `${hostname()}.${process.ppid}.0123abcd`;
    await writeFile(join(dir, `${owner}.clicks`), `${JSON.stringify(aClick())}\n`);
    const outbox = await open();
    mode = 'unhealthy';
    outbox.tell(aClick());
    await waitFor(() => outbox.figures().spooled === 1);
    mode = 'well';
    await waitFor(() => received.size === 1);
    expect(await readdir(dir)).toContain(`${owner}.clicks`);
  });
});
