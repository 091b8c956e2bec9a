import type { LedgerEvent } from '../../db/events/events.ts';
import { eventEnvelope } from '../../dispatch/event-envelope.ts';
import { encodeEventCursor } from '../http/cursor.ts';

/**
 * An event as clients receive it. Each format is serialized once and shared: a thousand streams
 * send one string.
 */
export class SerializedEvent {
  readonly cursor: string;
  #json: string | undefined;
  #sse: string | undefined;

  constructor(readonly source: LedgerEvent) {
    this.cursor = encodeEventCursor(source);
  }

  /** The envelope as published on queues, plus `cursor`. */
  get json(): string {
    this.#json ??= JSON.stringify({ cursor: this.cursor, ...eventEnvelope(this.source) });
    return this.#json;
  }

  /** JSON has no line breaks, so one `data:` line holds it. */
  get sse(): string {
    this.#sse ??= `id: ${this.cursor}\nevent: ${this.source.type}\ndata: ${this.json}\n\n`;
    return this.#sse;
  }
}
