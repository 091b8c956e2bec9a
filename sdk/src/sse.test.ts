import { expect, test } from '@jest/globals';
import { readEvents } from './sse.ts';

async function eventsOf(chunks: string[]) {
  const stream = (async function* () {
    yield* chunks;
  })();
  const events = [];
  for await (const event of readEvents(stream)) events.push(event);
  return events;
}

const STREAM =
  'retry: 2000\nid: 1-0\n\n:\n\nid: 1-1\nevent: job.started\ndata: {"a":1}\n\ndata: x\ndata: y\n\n';
const EVENTS = [
  { id: '1-0', event: null, data: null },
  { id: '1-1', event: 'job.started', data: '{"a":1}' },
  { id: null, event: null, data: 'x\ny' },
];

test('events are read whole, comments left out', async () => {
  expect(await eventsOf([STREAM])).toEqual(EVENTS);
});

test.each([
  ['with CRLF', STREAM.replaceAll('\n', '\r\n')],
  ['with CR', STREAM.replaceAll('\n', '\r')],
])('%s as well', async (_how, text) => {
  // The last blank line of a stream with CR may be half of a CRLF, which something must follow.
  expect(await eventsOf([`${text}:\n`])).toEqual(EVENTS);
});

test('wherever the chunks are cut', async () => {
  for (const text of [STREAM, STREAM.replaceAll('\n', '\r\n')]) {
    for (let at = 1; at < text.length; at += 1) {
      expect(await eventsOf([text.slice(0, at), text.slice(at)])).toEqual(EVENTS);
    }
  }
});

test('an event whose end did not arrive is none', async () => {
  expect(await eventsOf(['data: half\n'])).toEqual([]);
});

test('a space after the colon is not part of the value, further ones are', async () => {
  expect(await eventsOf(['data:a\n\ndata:  b\n\n'])).toMatchObject([{ data: 'a' }, { data: ' b' }]);
});
