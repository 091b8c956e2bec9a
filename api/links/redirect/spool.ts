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

/**
 * Clicks on the disk while the broker is away: one file a process, a line a click, sent and removed when it is back. Written at once
 * and not in the background: what was written survives the end of this process, of whatever kind. It does not wait for the disk
 * itself, so a power cut may take the last seconds.
 */
export interface Spool {
  /** How many of them found room. */
  append(clicks: Envelope[]): number;
  /** Sends everything there is, oldest first; of a dead process too. Rejects with what `send` rejects with, and begins there again. */
  drain(send: (clicks: Envelope[]) => Promise<void>): Promise<void>;
  /** Notes how many clicks are in memory alone: if this process is killed, the next one tells. */
  noteAtRisk(clicks: number): void;
  readonly bytes: number;
  /** Clicks that killed processes had in memory alone. */
  readonly uncertain: number;
  /** Leaves no trace where nothing is left to send. */
  close(): void;
}

const SEND_AT_ONCE = 250;
/** Of another machine that shares the folder: silent for so long, it is gone. */
const ABANDONED_MS = 60_000;
/** After so long without a click the file is opened anew: much less than that. */
const SILENT_MS = 1000;

export function createSpool(options: { dir: string; maxBytes: number; logger: Logger }): Spool {
  const { dir, maxBytes, logger } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const owner = `${hostname()}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const active = join(dir, `${owner}.clicks`);
  const riskFile = join(dir, `${owner}.at-risk`);
  /** Closed for writing, being sent or about to be. */
  const segments: string[] = [];
  /** Kept open: to open it waits for a busy disk. */
  let file: number | undefined;
  let writtenAt = 0;
  let activeBytes = 0;
  let closedBytes = 0;
  let segmentsMade = 0;
  let uncertain = 0;
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
      // Another machine may have taken it over meanwhile for one that is gone.
      if (performance.now() - writtenAt > SILENT_MS) closeFile();
      file ??= openSync(active, 'a', 0o600);
      appendFileSync(file, lines);
      writtenAt = performance.now();
    } catch (error) {
      // A full disk may have taken a part of them: then none, or the rest of a line would spoil the next.
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
  /** Takes over what processes left that are gone. Whoever renames a file first has it. */
  const adopt = () => {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      if (name.startsWith(`${owner}.`) || !isAbandoned(path, name)) continue;
      try {
        if (name.endsWith('.at-risk')) {
          const clicks = Number(readFileSync(path, 'utf8'));
          rmSync(path);
          uncertain += clicks;
          if (clicks > 0) logger.warn('clicks_uncertain', { clicks, process: name });
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
        // Kept open and always as long, so that nothing but bytes in memory changes: to open and cut a file waits for a busy disk.
        risk ??= openSync(riskFile, 'w', 0o600);
        writeSync(risk, String(clicks).padStart(10), 0);
      } catch (error) {
        logger.debug('click_risk_not_noted', { error });
      }
    },
    get bytes() {
      return activeBytes + closedBytes;
    },
    get uncertain() {
      return uncertain;
    },
    close: () => {
      closeFile();
      if (risk !== undefined) closeSync(risk);
      risk = undefined;
      rmSync(riskFile, { force: true });
    },
  };
}

/** Sends a file's clicks in groups. One that fails half way is sent from its beginning again: who counts them knows their ids. */
async function sendFile(
  path: string,
  send: (clicks: Envelope[]) => Promise<void>,
  logger: Logger,
): Promise<void> {
  let group: Envelope[] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const parsed = parseEnvelope(Buffer.from(line));
    if (parsed.ok) group.push(parsed.envelope);
    // The last line of a process that was killed while it wrote.
    else logger.warn('click_unreadable', { reason: parsed.reason });
    if (group.length < SEND_AT_ONCE) continue;
    await send(group);
    group = [];
  }
  if (group.length > 0) await send(group);
}

/** `host.pid.random…`: on this machine the process tells, else the file's age. */
function isAbandoned(path: string, name: string): boolean {
  const [, host, pid] = /^(.+)\.(\d+)\.[0-9a-f]{8}\.(?:\d+\.)?(?:clicks|at-risk)$/.exec(name) ?? [];
  if (host === undefined) return false;
  if (host === hostname()) return !isRunning(Number(pid));
  try {
    return Date.now() - statSync(path).mtimeMs > ABANDONED_MS;
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  // A container's first process has the number its predecessor had.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
