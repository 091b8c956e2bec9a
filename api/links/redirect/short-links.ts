import { join } from 'node:path';
import type { Database } from '../../../db/connect.ts';
import type { LinkTarget } from '../../../db/links/links.ts';
import type { Queue } from '../../../queue/queue.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import type { ClientAddress } from '../../http/client-address.ts';
import { type Click, clickEvent } from './click.ts';
import { type ClickFigures, createClickPublisher } from './click-publisher.ts';
import { createLinkCache, type LinkCache } from './link-cache.ts';
import { createSalts } from './salts.ts';

/** The long-lived parts of short links: link cache, visitor salts and click publisher. */
export interface ShortLinks {
  linkCache: LinkCache;
  onClick(click: Click): void;
  figures(): ClickFigures;
  start(): Promise<void>;
  /** Must run before the queue stops. */
  stop(): Promise<void>;
}

export function createShortLinks(options: {
  database: Database;
  queue: Pick<Queue, 'publish' | 'health'>;
  dataDir: string;
  /** Maximum bytes of spooled clicks in `dataDir`. */
  clickSpoolBytes: number;
  publicUrl: string;
  clientAddress: ClientAddress;
  logger: Logger;
}): ShortLinks {
  const { database, queue, dataDir, publicUrl, clientAddress, logger } = options;
  const linkCache = createLinkCache({ sql: database, logger, locationOf });
  const salts = createSalts(database, logger);
  const publisher = createClickPublisher<Click>({
    queue,
    dir: join(dataDir, 'clicks'),
    spoolBytes: options.clickSpoolBytes,
    eventOf: (click) => clickEvent(click, { saltOf: salts.of, publicUrl, clientAddress }),
    logger,
  });
  return {
    linkCache,
    onClick: publisher.add,
    figures: publisher.figures,
    start: async () => {
      await salts.start();
      await publisher.start();
      linkCache.start();
    },
    stop: async () => {
      await publisher.stop();
      await Promise.all([linkCache.stop(), salts.stop()]);
    },
  };
}

/** Relative, because a proxy may serve `/r/` and `/share/` under a prefix. */
const locationOf = (link: LinkTarget, code: string): string => (link.share ? `../share/${code}` : link.url);
