import { join } from 'node:path';
import type { Database } from '../../../db/connect.ts';
import type { LinkTarget } from '../../../db/links/links.ts';
import type { Queue } from '../../../queue/queue.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import type { ClientAddress } from '../../http/client-address.ts';
import { type Click, clickEvent } from './click.ts';
import { createOutbox, type OutboxFigures } from './click-publisher.ts';
import { createTargets, type Targets } from './link-cache.ts';
import { createSalts } from './salts.ts';

/** All that short links need beside requests: what is in memory, the salts of the day, and the way of clicks to the queue. */
export interface ShortLinks {
  targets: Targets;
  onClick(click: Click): void;
  figures(): OutboxFigures;
  start(): Promise<void>;
  /** Before the queue is. */
  stop(): Promise<void>;
}

export function createShortLinks(options: {
  database: Database;
  queue: Pick<Queue, 'publish' | 'health'>;
  dataDir: string;
  /** Room for clicks below `dataDir`. */
  clickSpoolBytes: number;
  publicUrl: string;
  clientAddress: ClientAddress;
  logger: Logger;
}): ShortLinks {
  const { database, queue, dataDir, publicUrl, clientAddress, logger } = options;
  const targets = createTargets({ sql: database, logger, locationOf });
  const salts = createSalts(database, logger);
  const outbox = createOutbox<Click>({
    queue,
    dir: join(dataDir, 'clicks'),
    spoolBytes: options.clickSpoolBytes,
    eventOf: (click) => clickEvent(click, { saltOf: salts.of, publicUrl, clientAddress }),
    logger,
  });
  return {
    targets,
    onClick: outbox.tell,
    figures: outbox.figures,
    start: async () => {
      await salts.start();
      await outbox.start();
      targets.start();
    },
    stop: async () => {
      await outbox.stop();
      await Promise.all([targets.stop(), salts.stop()]);
    },
  };
}

/** A shared result lies beside `/r/`, whatever a proxy puts before both. */
const locationOf = (link: LinkTarget, code: string): string => (link.share ? `../share/${code}` : link.url);
