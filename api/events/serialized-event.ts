import type { LedgerEvent } from '../../db/events/events.ts';
import { eventEnvelope } from '../../dispatch/event-envelope.ts';
import { encodeEventCursor } from '../http/cursor.ts';

/**
 * An event on its way to clients. What each kind of client is sent is made once, however many there are: a thousand streams
 * share one text.
 */
export class ToldEvent {
  readonly cursor: string;
  #json: string | undefined;
  #sse: string | undefined;

  constructor(readonly event: LedgerEvent) {
    this.cursor = encodeEventCursor(event);
  }

  /** The envelope as queues carry it, and the event's place as `cursor`. */
  get json(): string {
    this.#json ??= JSON.stringify({ cursor: this.cursor, ...eventEnvelope(this.event) });
    return this.#json;
  }

  /** JSON has no line breaks, so one `data:` line holds it. */
  get sse(): string {
    this.#sse ??= `id: ${this.cursor}\nevent: ${this.event.type}\ndata: ${this.json}\n\n`;
    return this.#sse;
  }
}
