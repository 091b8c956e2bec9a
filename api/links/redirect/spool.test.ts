import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createEnvelope, type Envelope } from '../../../queue/envelope.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createSpool } from './spool.ts';

let dir: string;
let sent: Envelope[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'leadengine-spool-'));
  sent = [];
});
afterEach(() => rm(dir, { recursive: true }));

const open = (maxBytes = 1_000_000) => createSpool({ dir, maxBytes, logger: silentLogger });
const send = async (clicks: Envelope[]) => {
  sent.push(...clicks);
};
const clicksOf = (count: number): Envelope[] =>
  Array.from({ length: count }, () =>
    createEnvelope({
      ...{ type: 'link.clicked', version: '1.0', source: 'test', correlation_id: 'x', user_id: null },
      data: {},
    }),
  );
const idsOf = (clicks: Envelope[]) => clicks.map(({ id }) => id);
/** File name prefix of a dead process: its pid is above the maximum. */
const DEAD = `${hostname()}.4194999.0123abcd`;

describe('clicks on the disk', () => {
  test('are sent in order, and leave no file', async () => {
    const spool = open();
    const clicks = clicksOf(600);
    expect(spool.append(clicks.slice(0, 300)) + spool.append(clicks.slice(300))).toBe(600);
    await spool.drain(send);
    expect(idsOf(sent)).toEqual(idsOf(clicks));
    expect(spool.bytes).toBe(0);
    spool.close();
    expect(await readdir(dir)).toEqual([]);
  });

  test('that could not be sent are all sent the next time', async () => {
    const spool = open();
    const clicks = clicksOf(600);
    spool.append(clicks);
    const away = new Error('away');
    const once = async (group: Envelope[]) => {
      if (sent.length > 0) throw away;
      await send(group);
    };
    await expect(spool.drain(once)).rejects.toBe(away);
    const later = clicksOf(1);
    spool.append(later);
    await spool.drain(send);
    expect(new Set(idsOf(sent))).toEqual(new Set(idsOf([...clicks, ...later])));
  });

  test('take no more than the limit', () => {
    const clicks = clicksOf(25);
    const spool = open(10 * (JSON.stringify(clicks[0]).length + 1));
    expect(spool.append(clicks)).toBe(10);
    expect(spool.append(clicks)).toBe(0);
  });

  test('of a killed process are sent by the next one, except the torn last line', async () => {
    const clicks = clicksOf(3);
    const lines = clicks.map((click) => `${JSON.stringify(click)}\n`).join('');
    await writeFile(join(dir, `${DEAD}.clicks`), `${lines}{"id":"torn`);
    await writeFile(join(dir, `${DEAD}.at-risk`), '7');
    const spool = open();
    await spool.drain(send);
    expect(idsOf(sent)).toEqual(idsOf(clicks));
    expect(spool.possiblyLost).toBe(7);
    expect(await readdir(dir)).toEqual([]);
  });

  test('of a running process are left alone', async () => {
    const name = `${hostname()}.${process.ppid}.0123abcd.clicks`;
    await writeFile(join(dir, name), `${JSON.stringify(clicksOf(1)[0])}\n`);
    await open().drain(send);
    expect(sent).toEqual([]);
    expect(await readdir(dir)).toEqual([name]);
  });
});
