import {
  EVENT_PATTERNS,
  eventTypeOf,
  NOTIFIABLE,
  notificationType,
  patternsFor,
  wordingOf,
} from './notification.ts';
import { readUnsubscribeToken, unsubscribeToken } from './unsubscribe-token.ts';

test('every notifiable event matches its name, its domain and `*`', () => {
  for (const type of NOTIFIABLE) {
    expect(eventTypeOf(notificationType(type))).toBe(type);
    for (const pattern of patternsFor(type)) expect(EVENT_PATTERNS).toContain(pattern);
  }
  expect(eventTypeOf('notification.job.sneezed')).toBeNull();
  expect(eventTypeOf('job.completed')).toBeNull();
});

test('the text says what happened and why', () => {
  const data = {
    job_id: '0198c0de-1234',
    counts: { pages: 1, leads: 12, errors: 0 },
    error: { code: 'dns_failed', message: 'no such host' },
  };
  expect(wordingOf('job.completed', data)).toEqual({
    title: 'Job 0198c0de completed',
    text: 'It has 1 page, 12 leads.',
  });
  expect(wordingOf('job.failed', data).text).toBe('no such host (dns_failed). It has 1 page, 12 leads.');
  // An unknown type of a later version: its name is the title.
  expect(wordingOf('job.sneezed', {})).toEqual({ title: 'job.sneezed', text: '' });
});

test('an unsubscribe token names user and address, and cannot be forged', () => {
  const who = { userId: 'u1', address: 'größe@example.com' };
  const token = unsubscribeToken(who, 'key');
  expect(readUnsubscribeToken(token, 'key')).toEqual(who);
  expect(readUnsubscribeToken(token, 'another key')).toBeNull();
  const forged = Buffer.from(JSON.stringify(['u2', who.address])).toString('base64url');
  expect(readUnsubscribeToken(`${forged}.${token.split('.')[1]}`, 'key')).toBeNull();
  for (const broken of ['', '.', 'x', `${token}x`]) expect(readUnsubscribeToken(broken, 'key')).toBeNull();
});
