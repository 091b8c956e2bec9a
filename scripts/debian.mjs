// System packages on Debian and Ubuntu.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { capture, excerpt, SetupError } from './steps.mjs';

export function systemName() {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const [, id] = release.match(/^ID="?([^"\n]+)"?$/m) ?? [];
    const [, like = ''] = release.match(/^ID_LIKE="?([^"\n]+)"?$/m) ?? [];
    if (id === 'ubuntu' || like.split(' ').includes('ubuntu')) return 'ubuntu';
    if (id === 'debian' || like.split(' ').includes('debian')) return 'debian';
  } catch {
    // Not a Linux with this file.
  }
  return 'other';
}

/**
 * Prefix of a command that must run as root: none for root, `sudo -n` if it needs no password; else
 * undefined.
 */
export async function asRoot() {
  if (process.getuid?.() === 0) return [];
  const { exitCode } = await capture('sudo', ['-n', 'true']);
  return exitCode === 0 ? ['sudo', '-n'] : undefined;
}

/** RUNLEVEL=1 keeps packages from starting their services; Debian's own scripts honor it. */
const ENVIRONMENT = ['RUNLEVEL=1', 'DEBIAN_FRONTEND=noninteractive'];

/**
 * Installs packages without their recommended ones.
 * @throws SetupError with the end of apt's output
 */
export async function aptInstall(packages) {
  const before = await asRoot();
  if (!before) throw new SetupError(`run \`sudo apt-get install ${packages.join(' ')}\``);
  const root = (...command) => {
    const [program, ...args] = [...before, 'env', ...ENVIRONMENT, ...command];
    return capture(program, args);
  };
  // After an interrupted install apt refuses everything until this is done.
  if (existsSync('/var/lib/dpkg/updates') && readdirSync('/var/lib/dpkg/updates').length > 0) {
    await root('dpkg', '--configure', '-a');
  }
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  // A failed update (a dead source, no network) matters only if the install then fails.
  const update = await root('apt-get', 'update', '-q');
  const install = await root(
    'apt-get',
    ...wait,
    'install',
    '-q',
    '-y',
    '--no-install-recommends',
    ...packages,
  );
  if (install.exitCode === 0) return;
  const said = `${update.exitCode === 0 ? '' : update.output}\n${install.output}`;
  throw new SetupError(
    `\`apt-get install ${packages.join(' ')}\` failed (${install.exitCode})\n${excerpt(said)}`,
  );
}
