import { describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, EVENT_VERSION, readEvent } from './events.ts';

const JOB = '0198c0de-0000-7000-8000-000000000001';
const started = { job_id: JOB, status: 'running', attempt: 1, worker: 'w' };
const envelope = (fields: Partial<{ type: string; version: string; data: unknown }> = {}) => ({
  type: 'job.started',
  version: EVENT_VERSION,
  data: started,
  ...fields,
});

describe('a consumer', () => {
  test('reads an event of the version it knows', () => {
    expect(readEvent(envelope())).toEqual({ kind: 'event', event: { type: 'job.started', data: started } });
  });

  test('accepts a newer minor version and ignores the fields it does not know', () => {
    const read = readEvent(envelope({ version: '1.99', data: { ...started, region: 'eu' } }));
    expect(read).toEqual({ kind: 'event', event: { type: 'job.started', data: started } });
  });

  test('rejects another major version', () => {
    expect(readEvent(envelope({ version: '2.0' }))).toEqual({ kind: 'unsupported_version', version: '2.0' });
    expect(readEvent(envelope({ version: '10.0' })).kind).toBe('unsupported_version');
  });

  test('rejects an unknown type, and names that every object inherits', () => {
    expect(readEvent(envelope({ type: 'job.exploded' }))).toEqual({
      kind: 'unknown_type',
      type: 'job.exploded',
    });
    expect(readEvent(envelope({ type: 'constructor' })).kind).toBe('unknown_type');
  });

  test('gets the name of an invalid field', () => {
    const read = readEvent(envelope({ data: { ...started, attempt: 'first' } }));
    expect(read).toEqual({ kind: 'broken', reason: expect.stringMatching(/^job\.started: attempt: /) });
    expect(readEvent(envelope({ data: null })).kind).toBe('broken');
  });
});

test('every type is a domain and what happened in it', () => {
  for (const type of EVENT_TYPES) expect(type).toMatch(/^(user|job|lead|link|notification)\.[a-z_]+$/);
});
