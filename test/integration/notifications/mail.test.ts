import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { statement } from '../../../db/statement.ts';
import { waitFor } from '../../support/wait-for.ts';
import { run } from '../api/api-fixture.ts';
import { startNotifying, type TestNotifier } from './notifier-fixture.ts';

/** E-mail, as the mail server gets it. */

const QUICK = { gatherMs: 0, apartMs: 0, urgentApartMs: 0 };
let fixture: TestNotifier;

afterEach(() => fixture.mailbox.refuse(null));

async function subscriber(events = ['job.completed', 'job.failed']) {
  const { key, userId } = await fixture.api.addUser();
  const { target } = await fixture.subscribe({ events, channel: 'email' }, key);
  return { key, userId, address: String(target) };
}
const mailsTo = (address: string) => fixture.mailbox.mails.filter((mail) => mail.to_address === address);
const mailTo = async (address: string) => {
  const [mail] = await waitFor(() => mailsTo(address).length > 0 && mailsTo(address), { what: 'a mail' });
  if (!mail) throw new Error('no mail');
  return mail;
};

describe('a mail', () => {
  beforeAll(async () => {
    fixture = await startNotifying({ notify: { mailPace: QUICK, attempts: 100 } });
  });
  afterAll(() => fixture.stop());

  test('has text and HTML, a link to the job, and an unsubscribe link', async () => {
    const { key, address } = await subscriber();
    const job = await fixture.end('failed', {}, key);
    const mail = await mailTo(address);
    const url = `https://leads.example/api/v1/jobs/${job}`;
    expect(mail.subject).toBe(`Job ${job.slice(0, 8)} failed`);
    expect(mail.text).toContain('no such host (dns_failed)');
    for (const body of [mail.text, mail.html]) expect(body).toContain(url);
    const header = (name: string) => mail.headers.find(({ key: seen }) => seen === name)?.value ?? '';
    expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(header('list-unsubscribe')).toMatch(/^<https:\/\/leads\.example\/unsubscribe\/[\w.-]+>$/);
    expect(header('auto-submitted')).toBe('auto-generated');
    expect(mail.messageId).toMatch(/^<[0-9a-f-]{36}@leads\.example>$/);
  });

  test('links to the results if they are shared', async () => {
    const { key, address } = await subscriber();
    const id = await fixture.api.submit({ urls: ['https://example.com/'] }, key);
    const share = await fixture.api.ask('POST', '/api/v1/links', { key, body: { share: true, job_id: id } });
    expect(share.status).toBe(201);
    const error = { code: 'odd', message: 'odd' };
    await run(fixture.api.database, id, { kind: 'fail', error });
    const mail = await mailTo(address);
    for (const body of [mail.text, mail.html]) {
      expect(body).toContain(`https://leads.example/r/${share.json.code}`);
      expect(body).not.toContain('/api/v1/jobs/');
    }
  });

  test('escapes markup from a job', async () => {
    const { key, address } = await subscriber();
    const id = await fixture.api.submit({ urls: ['https://example.com/'] }, key);
    const error = { code: 'odd', message: '<script>alert(1)</script>\r\nBcc: all@example.com' };
    await run(fixture.api.database, id, { kind: 'fail', error });
    const mail = await mailTo(address);
    expect(mail.html).not.toContain('<script>');
    expect(mail.html).toContain('&lt;script&gt;');
    expect(mail.bcc ?? []).toEqual([]);
  });

  test('that is rejected permanently is not retried, and one that may succeed later is', async () => {
    const refused = await subscriber();
    fixture.mailbox.refuse('rcpt', 550);
    await fixture.end('completed', {}, refused.key);
    await fixture.settled();
    const dead = (await fixture.get('/dead-letters?code=mail_refused')).json.dead_letters;
    expect(dead).toMatchObject([{ queue: 'email_notifications', code: 'mail_refused' }]);
    const attempts = statement(
      'count_attempts',
      'SELECT count(*)::int AS n FROM delivery_attempts WHERE delivery_id = $1',
    );
    expect(await fixture.api.database.query(attempts, [dead[0].delivery_id])).toEqual([{ n: 1 }]);

    const later = await subscriber();
    fixture.mailbox.refuse('data', 451);
    await fixture.end('completed', {}, later.key);
    const retried = statement(
      'retried',
      "SELECT 1 FROM deliveries WHERE target = $1 AND error_code = 'smtp_error'",
    );
    await waitFor(async () => (await fixture.api.database.query(retried, [later.address])).length > 0, {
      what: 'the first attempt to fail',
      everyMs: 5,
    });
    fixture.mailbox.refuse(null);
    await fixture.settled();
    expect(mailsTo(later.address)).toHaveLength(1);
  });

  test('ends with one click, only for that address', async () => {
    const { key, address } = await subscriber();
    const other = await subscriber();
    await fixture.end('completed', {}, key);
    const mail = await mailTo(address);
    const link = mail.headers.find(({ key: name }) => name === 'list-unsubscribe')?.value ?? '';
    const { pathname } = new URL(link.slice(1, -1));
    expect((await fixture.api.ask('POST', `${pathname}x`, { key: null })).status).toBe(404);
    const seen = await fixture.api.ask('GET', pathname, { key: null });
    expect([seen.status, seen.text]).toEqual([200, expect.stringContaining('Unsubscribe')]);
    // A GET of the link does not unsubscribe.
    expect((await fixture.get('/subscriptions', key)).json.subscriptions).toMatchObject([{ active: true }]);
    const clicked = await fetch(`${fixture.api.url}${pathname}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    });
    expect(clicked.status).toBe(200);
    expect((await fixture.get('/subscriptions', key)).json.subscriptions).toMatchObject([{ active: false }]);
    expect((await fixture.get('/subscriptions', other.key)).json.subscriptions).toMatchObject([
      { active: true },
    ]);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect(mailsTo(address)).toHaveLength(1);
  });
});

describe('many jobs that end within a minute', () => {
  const DAY_MS = 24 * 3_600_000;
  beforeAll(async () => {
    // The minute is a day here, and the test ends it.
    fixture = await startNotifying({
      notify: { mailPace: { gatherMs: 0, apartMs: DAY_MS, urgentApartMs: DAY_MS } },
    });
  });
  afterAll(() => fixture.stop());

  test('are one mail that names each of them', async () => {
    const { key, address } = await subscriber();
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect(mailsTo(address)).toHaveLength(1);
    const jobs: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      jobs.push(await fixture.end(index === 5 ? 'failed' : 'completed', {}, key));
    }
    const waiting = statement(
      'count_waiting_mails',
      "SELECT count(*)::int AS n FROM deliveries WHERE target = $1 AND status = 'queued' AND due_at > now()",
    );
    const areWaiting = async () =>
      (await fixture.api.database.query<{ n: number }>(waiting, [address]))[0]?.n === 12;
    await waitFor(areWaiting, { what: 'all to wait for their mail' });
    expect(mailsTo(address)).toHaveLength(1);
    const over = statement(
      'end_the_minute',
      `UPDATE deliveries SET due_at = now() WHERE id = (
         SELECT id FROM deliveries WHERE target = $1 AND status = 'queued' ORDER BY due_at LIMIT 1)`,
    );
    await fixture.api.database.query(over, [address]);
    await fixture.settled();
    const [, digest, ...others] = mailsTo(address);
    expect(others).toEqual([]);
    expect(digest?.subject).toBe('12 notifications: 1 failed, 11 completed');
    for (const job of jobs) expect(digest?.text?.split(job)).toHaveLength(2);
  });
});
