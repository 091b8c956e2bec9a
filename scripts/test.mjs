// `npm test`: the set-up, the programs the tests need, then all tests. Arguments are Jest's own.
import { accessSync, constants } from 'node:fs';
import { aptInstall, asRoot, systemName } from './debian.mjs';
import { helpOf } from './help.mjs';
import { runJest } from './jest.mjs';
import { findPython } from './python.mjs';
import { setup } from './setup.mjs';
import { endWithNpm, runScript, SetupError, step } from './steps.mjs';

/** Debian's package of the library that the guides' examples in Python use. */
const PYTHON = 'python3-requests';

/**
 * Programs that the tests start as their own servers, and the folders where the support files look
 * for them; no system service is used. The name is also that of Debian's package.
 */
const PROGRAMS = {
  'rabbitmq-server': ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin'],
  openssl: ['/usr/bin', '/opt/homebrew/bin', '/usr/local/bin'],
  pgbouncer: ['/usr/sbin', '/opt/homebrew/bin', '/usr/local/bin'],
};

await runScript(async () => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) return console.log(helpOf('test'));
  endWithNpm();
  try {
    await setup();
    await ensurePrograms();
  } catch (error) {
    // The last line of a run has its result, also if no test ran.
    process.on('exit', () => console.log('0 passed, 1 failed'));
    throw error;
  }
  process.exitCode = await runJest(args);
});

async function ensurePrograms() {
  const missing = () => [
    ...Object.keys(PROGRAMS).filter((name) => !isInstalled(name)),
    ...(findPython() ? [] : [PYTHON]),
  ];
  const wanted = missing();
  if (wanted.length === 0) return;
  if (systemName() !== 'other' && (await asRoot())) {
    await step(`installing what the tests need (apt-get install ${wanted.join(' ')})`, () =>
      aptInstall(wanted),
    );
  }
  const names = missing();
  if (names.length === 0) return;
  const how = systemName() === 'other' ? 'install them' : `run \`sudo apt-get install ${names.join(' ')}\``;
  throw new SetupError(`the tests need these programs, which are not installed: ${names.join(', ')}; ${how}`);
}

function isInstalled(name) {
  return PROGRAMS[name].some((folder) => {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
