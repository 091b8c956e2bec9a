// A process that owns an embedded Postgres, for tests that kill one: `fork(this, [dataDir,
// lingerSeconds])`. Sends `{type: 'ready', url}` or `{type: 'failed', message}`, and stops cleanly
// on SIGTERM.
import { startEmbeddedPostgres } from '../../../dist/db/embedded-postgres.js';
import { silentLogger } from '../../../dist/runtime/log/logger.js';

try {
  const [, , dataDir, lingerSeconds] = process.argv;
  const postgres = await startEmbeddedPostgres({
    dataDir,
    lingerSeconds: lingerSeconds ? Number(lingerSeconds) : undefined,
    logger: silentLogger,
  });
  const stop = () => void postgres.stop().then(() => process.exit(0));
  process.on('SIGTERM', stop);
  // The test run was interrupted.
  process.on('disconnect', stop);
  process.send({ type: 'ready', url: postgres.url });
} catch (error) {
  process.send({ type: 'failed', message: error.message }, () => process.exit(1));
}
