import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../runtime/operator-error.ts';
import { explainPostgresFailure } from '../runtime/postgres/postgres-failure.ts';
import type { Config } from '../runtime/settings/config.ts';
import { connect, type Database, type DatabaseOptions, isDatabaseUnavailable } from './connect.ts';
import { embeddedPostgresUrl } from './embedded-postgres.ts';
import { migrate } from './migrate.ts';
import { refuseTransactionPooling } from './pooler.ts';
import { type EncryptionKeys, openSecrets } from './secrets/open-secrets.ts';

const LONGEST_PAUSE_MS = 5000;

/** The URL of the database that every process of this installation uses. */
export const databaseUrlOf = (config: Config): string | Promise<string> =>
  config.databaseUrl ?? embeddedPostgresUrl(config.dataDir);

/**
 * Connects and brings the schema up to date. Waits for a database that is not up yet: in a fleet
 * everything starts at once. Rejects on permanent errors such as a wrong password.
 */
export async function openDatabase(
  options: Omit<DatabaseOptions, 'secrets'> & {
    /** Of a process that handles secrets. */
    encryption?: EncryptionKeys;
  },
): Promise<Database> {
  const { logger, encryption } = options;
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      await refuseTransactionPooling(options);
      const applied = await migrate(options);
      if (applied.length > 0) logger.info('schema_migrated', { applied });
      if (!encryption) return connect(options);
      const secrets = await openSecrets(options, encryption, (file) =>
        logger.info('encryption_key_created', { file }),
      );
      return connect({ ...options, secrets });
    } catch (error) {
      const explained = explainPostgresFailure(error);
      if (!isDatabaseUnavailable(error))
        throw explained ? new OperatorError(explained, { cause: error }) : error;
      const reason = explained ?? (error as Error).message;
      logger.warn('database_unreachable', { error: reason, retry_in_ms: pauseMs });
      await delay(pauseMs);
    }
  }
}
