/** An event of a stream. `data` is null for an id alone, which a stream begins with. */
export interface ServerSentEvent {
  id: string | null;
  event: string | null;
  data: string | null;
}

/**
 * Reads Server-Sent Events from the chunks of a body (HTML Living Standard, "Interpreting an event
 * stream"). An event whose end did not arrive is dropped, as the standard says.
 */
export async function* readEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerSentEvent> {
  let rest = '';
  for await (const chunk of chunks) {
    rest += chunk;
    // A CR at the very end may be the first half of a CRLF.
    const complete = rest.endsWith('\r') ? rest.length - 1 : rest.length;
    const blocks = rest.slice(0, complete).replace(/\r\n?/g, '\n').split('\n\n');
    rest = (blocks.pop() ?? '') + rest.slice(complete);
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event.data !== null || event.id !== null) yield event;
    }
  }
}

function parseEvent(block: string): ServerSentEvent {
  const event: ServerSentEvent = { id: null, event: null, data: null };
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'id') event.id = value;
    else if (name === 'event') event.event = value;
    else if (name === 'data') event.data = event.data === null ? value : `${event.data}\n${value}`;
  }
  return event;
}
