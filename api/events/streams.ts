import { type Caller, findUnchangedCallers } from '../../db/accounts/users.ts';
import type { Sql } from '../../db/connect.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { overloaded, stopping, tooManyStreams } from '../http/problem.ts';
import type { StreamMetrics } from '../metrics/metrics.ts';

/** The open Server-Sent Events streams, WebSockets and MCP calls of this process. */
export interface Streams {
  /** A client that does not read its pending data for this long is dropped. */
  readonly stalledMs: number;
  /**
   * Registers a stream.
   * @returns unregisters it; twice is safe
   * @throws Problem 429 if its user has too many, 503 if this process has too many or is stopping
   */
  open(caller: Caller, stream: OpenStream): () => void;
  /** Ends every stream and accepts no more. */
  stop(): void;
}

export interface OpenStream {
  kind: 'sse' | 'websocket' | 'mcp';
  /** Called every 15 s, so that proxies and clients see a live connection. */
  beat(): void;
  end(why: 'stopping' | 'key_ended'): void;
}

export interface StreamLimits {
  perProcess: number;
  perUser: number;
}

const BEAT_MS = 15_000;
const STALLED_MS = 30_000;
/** As long as requests trust a key. */
const KEY_CHECK_MS = 2000;

export function createStreams(options: {
  sql: Sql;
  logger: Logger;
  metrics: StreamMetrics;
  limits: StreamLimits;
  beatMs?: number | undefined;
  stalledMs?: number | undefined;
}): Streams {
  const { sql, logger, metrics, limits } = options;
  const streams = new Map<OpenStream, Caller>();
  const perUser = new Map<string, number>();
  const beatMs = options.beatMs ?? BEAT_MS;
  let timer: NodeJS.Timeout | undefined;
  let keyTimer: NodeJS.Timeout | undefined;
  let stopped = false;

  const count = (userId: string, difference: number) => {
    const now = (perUser.get(userId) ?? 0) + difference;
    if (now > 0) perUser.set(userId, now);
    else perUser.delete(userId);
  };
  const beat = () => {
    for (const stream of streams.keys()) stream.beat();
  };
  const checkKeys = () => {
    endThoseWithoutKey().catch((error) => logger.debug('stream_keys_not_checked', { error }));
  };
  /**
   * Keys are checked when a stream opens; one whose key is revoked or changed later ends too, and its
   * client connects again if it may.
   */
  const endThoseWithoutKey = async () => {
    const open = [...streams];
    if (open.length === 0) return;
    const unchanged = await findUnchangedCallers(sql, new Set(open.map(([, caller]) => caller)));
    for (const [stream, caller] of open) if (!unchanged.has(caller)) stream.end('key_ended');
  };

  return {
    stalledMs: options.stalledMs ?? STALLED_MS,
    open: (caller, stream) => {
      if (stopped) throw stopping();
      if ((perUser.get(caller.userId) ?? 0) >= limits.perUser) throw tooManyStreams(limits.perUser);
      if (streams.size >= limits.perProcess) throw overloaded();
      streams.set(stream, caller);
      count(caller.userId, 1);
      metrics.opened(stream.kind);
      timer ??= setInterval(beat, beatMs).unref();
      keyTimer ??= setInterval(checkKeys, Math.min(KEY_CHECK_MS, beatMs)).unref();
      return () => {
        if (!streams.delete(stream)) return;
        count(caller.userId, -1);
        metrics.closed(stream.kind);
      };
    },
    stop: () => {
      stopped = true;
      clearInterval(timer);
      clearInterval(keyTimer);
      for (const stream of [...streams.keys()]) stream.end('stopping');
    },
  };
}
