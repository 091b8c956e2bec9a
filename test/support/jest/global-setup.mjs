// The shared services of all system tests, started once: a real Postgres with a migrated template
// database, and a real RabbitMQ on first use. Tests request them over loopback HTTP, since Jest
// runs their files in other processes.
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startReaper } from '../processes/reaper.mjs';
import { startRabbitmq } from '../servers/rabbitmq.mjs';

export default async function globalSetup() {
  const { startEmbeddedPostgres } = await import('../../../dist/db/embedded-postgres.js');
  const { silentLogger } = await import('../../../dist/runtime/log/logger.js');

  const dataDir = await mkdtemp(join(tmpdir(), 'leadengine-test-'));
  // On a signal Jest exits at once, without its global teardown. Then reapers end what was started
  // and remove its files.
  const reaper = startReaper(dataDir);
  const postgres = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    lingerSeconds: 0,
    // A power cut would lose the tests' data, which is disposable.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
  });
  process.env.TEST_DATABASE_URL = postgres.url;
  await makeTemplate(postgres.url);

  const broker = shareBroker();
  process.env.TEST_BROKER_SERVICE = await broker.listen();

  let stopped;
  globalThis.stopTestServices = () => {
    stopped ??= Promise.all([broker.close(), postgres.stop()]).then(() => reaper.end());
    return stopped;
  };
}

/** Tests clone it in some 50 ms instead of migrating a database each. */
async function makeTemplate(url) {
  const dist = (name) => new URL(`../../../dist/${name}`, import.meta.url);
  const { default: pg } = await import('pg');
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query('CREATE DATABASE leadengine_template');
  await admin.end();
  if (!existsSync(dist('db/migrate.js'))) return;
  const { migrate } = await import(dist('db/migrate.js'));
  const templateUrl = new URL(url);
  templateUrl.pathname = '/leadengine_template';
  await migrate({ url: templateUrl.href, applicationName: 'test-template' });
}

/** `POST /vhosts` answers with the URL of a new, empty vhost. */
function shareBroker() {
  const prepared = Array.from({ length: 40 }, (_, index) => `prepared-${index}`);
  let started;
  let made = 0;
  const newVhost = async () => {
    started ??= startRabbitmq({ vhosts: prepared });
    const rabbitmq = await started;
    const name = prepared.shift();
    if (name) return rabbitmq.urlOf(name);
    made += 1;
    return rabbitmq.addVhost(`made-${made}`);
  };
  const server = createServer((_request, response) => {
    newVhost().then(
      (url) => response.end(url),
      (error) => response.writeHead(500).end(error.message),
    );
  });
  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}/vhosts`));
      }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      const rabbitmq = await started?.catch(() => undefined);
      await rabbitmq?.close();
    },
  };
}
