// `npm test`: the set-up with what the tests need beside it, then all of them. Arguments are Jest's own.
import { accessSync, constants } from 'node:fs';
import { aptInstall, asRoot, systemName } from './debian.mjs';
import { runJest } from './jest.mjs';
import { setup } from './setup.mjs';
import { endWithNpm, runScript, SetupError, step } from './steps.mjs';

await runScript(async () => {
  endWithNpm();
  try {
    await setup();
    await ensureRabbitmq();
  } catch (error) {
    // The last line of a run tells how it went, also when it never got to a test.
    process.on('exit', () => console.log('0 passed, 1 failed'));
    throw error;
  }
  process.exitCode = await runJest(process.argv.slice(2));
});

/** The tests run a broker of their own; only its programs are needed, and no service of the system. */
async function ensureRabbitmq() {
  if (hasRabbitmq()) return;
  if (systemName() !== 'other' && (await asRoot())) {
    await step('installing RabbitMQ for the tests (apt-get install rabbitmq-server)', () =>
      aptInstall(['rabbitmq-server']),
    );
    if (hasRabbitmq()) return;
  }
  const how = systemName() === 'other' ? 'install RabbitMQ' : 'run `sudo apt-get install rabbitmq-server`';
  throw new SetupError(`the tests need RabbitMQ's programs, which are not installed: ${how}`);
}

function hasRabbitmq() {
  // Where test/support/servers/rabbitmq.mjs looks for them.
  return ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin'].some((folder) => {
    try {
      accessSync(`${folder}/rabbitmq-server`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
