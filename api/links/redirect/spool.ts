import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Envelope, parseEnvelope } from '../../../queue/envelope.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { isRunning } from '../../../runtime/process/is-running.ts';

/**
 * Clicks on disk while the broker is away: one file per process, one line per click, sent and
 * deleted when the broker is back. Writes are synchronous, so written clicks survive any end of the
 * process. There is no fsync, so a power cut may lose the last seconds.
 */
export interface Spool {
  /** Returns how many of them fit. */
  append(clicks: Envelope[]): number;
  /**
   * Sends all clicks, oldest first, also those of dead processes. Rejects with `send`'s error; the
   * next call resumes.
   */
  drain(send: (clicks: Envelope[]) => Promise<void>): Promise<void>;
  /**
   * Records how many clicks are only in memory, so that the next process can report them after a
   * kill.
   */
  noteAtRisk(clicks: number): void;
  readonly bytes: number;
  /** Clicks that killed processes had only in memory. */
  readonly possiblyLost: number;
  /** Deletes its files if nothing is left to send. */
  close(): void;
}

const SEND_AT_ONCE = 250;
/**
 * Files of another machine on a shared folder count as abandoned after this long without a write.
 */
const ABANDONED_MS = 60_000;
/** Reopen the file after this long without a click; must be much less than `ABANDONED_MS`. */
const SILENT_MS = 1000;

export function createSpool(options: { dir: string; maxBytes: number; logger: Logger }): Spool {
  const { dir, maxBytes, logger } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const owner = `${hostname()}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const active = join(dir, `${owner}.clicks`);
  const riskFile = join(dir, `${owner}.at-risk`);
  /** Closed files that wait to be sent. */
  const segments: string[] = [];
  /** Kept open, because opening waits for a busy disk. */
  let file: number | undefined;
  let writtenAt = 0;
  let activeBytes = 0;
  let closedBytes = 0;
  let segmentsMade = 0;
  let possiblyLost = 0;
  let notedAtRisk = 0;
  let risk: number | undefined;

  const append = (clicks: Envelope[]): number => {
    let lines = '';
    let taken = 0;
    for (const click of clicks) {
      const line = `${JSON.stringify(click)}\n`;
      if (activeBytes + closedBytes + lines.length + line.length > maxBytes) break;
      lines += line;
      taken += 1;
    }
    if (taken === 0) return 0;
    try {
      // Another machine may have adopted the file as abandoned.
      if (performance.now() - writtenAt > SILENT_MS) closeFile();
      file ??= openSync(active, 'a', 0o600);
      appendFileSync(file, lines);
      writtenAt = performance.now();
    } catch (error) {
      // A full disk may have taken a part: truncate, or a torn line would corrupt the next one.
      logger.error('click_spool_failed', { error });
      cutBack();
      return 0;
    }
    activeBytes += Buffer.byteLength(lines);
    return taken;
  };
  const cutBack = () => {
    try {
      truncateSync(active, activeBytes);
    } catch {
      // There is no file.
    }
  };

  const closeFile = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  const closeActive = () => {
    if (activeBytes === 0) return;
    segmentsMade += 1;
    const segment = join(dir, `${owner}.${segmentsMade}.clicks`);
    closeFile();
    renameSync(active, segment);
    segments.push(segment);
    closedBytes += activeBytes;
    activeBytes = 0;
  };
  /** Adopts the files of dead processes. The first process to rename a file owns it. */
  const adopt = () => {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      if (name.startsWith(`${owner}.`) || !isAbandoned(path, name)) continue;
      try {
        if (name.endsWith('.at-risk')) {
          const clicks = Number(readFileSync(path, 'utf8'));
          rmSync(path);
          possiblyLost += clicks;
          if (clicks > 0) logger.warn('clicks_possibly_lost', { clicks, process: name });
        } else if (name.endsWith('.clicks')) {
          segmentsMade += 1;
          const segment = join(dir, `${owner}.${segmentsMade}.clicks`);
          renameSync(path, segment);
          closedBytes += statSync(segment).size;
          segments.push(segment);
          logger.info('click_spool_adopted', { file: name });
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          logger.warn('click_spool_left', { name, error });
      }
    }
  };

  return {
    append,
    drain: async (send) => {
      adopt();
      closeActive();
      for (let segment = segments[0]; segment !== undefined; segment = segments[0]) {
        const { size } = statSync(segment);
        await sendFile(segment, send, logger);
        rmSync(segment);
        segments.shift();
        closedBytes -= size;
      }
    },
    noteAtRisk: (clicks) => {
      if (clicks === notedAtRisk) return;
      notedAtRisk = clicks;
      try {
        // Kept open and of constant length, so only page cache changes: opening or truncating waits
        // for a busy disk.
        risk ??= openSync(riskFile, 'w', 0o600);
        writeSync(risk, String(clicks).padStart(10), 0);
      } catch (error) {
        logger.debug('click_risk_not_noted', { error });
      }
    },
    get bytes() {
      return activeBytes + closedBytes;
    },
    get possiblyLost() {
      return possiblyLost;
    },
    close: () => {
      closeFile();
      if (risk !== undefined) closeSync(risk);
      risk = undefined;
      rmSync(riskFile, { force: true });
    },
  };
}

/**
 * Sends a file's clicks in groups. After a failure the whole file is sent again; ids deduplicate
 * the clicks.
 */
async function sendFile(
  path: string,
  send: (clicks: Envelope[]) => Promise<void>,
  logger: Logger,
): Promise<void> {
  let group: Envelope[] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const parsed = parseEnvelope(Buffer.from(line));
    if (parsed.ok) group.push(parsed.envelope);
    // The torn last line of a process that was killed while writing.
    else logger.warn('click_unreadable', { reason: parsed.reason });
    if (group.length < SEND_AT_ONCE) continue;
    await send(group);
    group = [];
  }
  if (group.length > 0) await send(group);
}

/** For a name `host.pid.random…`: on this machine by its process, else by the file's age. */
function isAbandoned(path: string, name: string): boolean {
  const [, host, pid] = /^(.+)\.(\d+)\.[0-9a-f]{8}\.(?:\d+\.)?(?:clicks|at-risk)$/.exec(name) ?? [];
  if (host === undefined) return false;
  // A restarted container's main process has its predecessor's pid.
  if (host === hostname()) return Number(pid) === process.pid || !isRunning(Number(pid));
  try {
    return Date.now() - statSync(path).mtimeMs > ABANDONED_MS;
  } catch {
    return false;
  }
}
