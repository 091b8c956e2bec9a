import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { OperatorError } from '../runtime/operator-error.ts';
import { makeFolder } from '../runtime/process/make-folder.ts';
import type { Config } from '../runtime/settings/config.ts';

/** As whom workers run, if that is not the user of this process. */
export interface WorkerUser {
  uid: number;
  gid: number;
  /** Working directory and home: theirs, and nobody else's. */
  home: string;
  /** What they need in the environment beside the supervisor's own. */
  env: NodeJS.ProcessEnv;
}

export type WorkerUserChoice =
  | { kind: 'own' }
  | { kind: 'other'; user: WorkerUser }
  | { kind: 'root'; reason: string };

/** The account that workers use if there is one. */
const ACCOUNT = 'leadengine';
/**
 * Used if there is no such account: without a name, and not that of Postgres, because what escapes
 * from a browser must not reach the database's files.
 */
const UNNAMED = { uid: 64_738, gid: 64_738 };

/**
 * Workers run the code of foreign pages, and Chromium's sandbox does not start as root: a
 * supervisor that is root runs them as an ordinary user. If that user cannot read the program or
 * write where it must, they run as root, with the reason.
 *
 * @param root folder of the compiled program
 * @param environment of the supervisor, from which workers inherit
 */
export async function chooseWorkerUser(
  config: Config,
  root: string,
  environment: NodeJS.ProcessEnv,
): Promise<WorkerUserChoice> {
  if (process.getuid?.() !== 0) return { kind: 'own' };
  if (config.workerUser === 'root') return { kind: 'root', reason: 'WORKER_USER is root' };
  const ids = await idsOf(config.workerUser);
  const home = join(config.dataDir, 'worker');
  try {
    await makeFolder(config.dataDir, 0o711);
    await makeFolder(home, 0o700);
    await chown(home, ids.uid, ids.gid);
    const artifacts = await prepareArtifacts(config, ids);
    const env = environmentOf(config, home, environment);
    const problem = await problemOf(ids, home, env, root, artifacts);
    return problem === null
      ? { kind: 'other', user: { ...ids, home, env } }
      : { kind: 'root', reason: `user ${ids.uid} ${problem}` };
  } catch (error) {
    return { kind: 'root', reason: `${DATA_DIR_NOT_SHARED} (${(error as Error).message})` };
  }
}

const DATA_DIR_NOT_SHARED = 'DATA_DIR cannot be shared with another user';

async function idsOf(name: string | undefined): Promise<{ uid: number; gid: number }> {
  if (name !== undefined && /^\d+$/.test(name)) return { uid: Number(name), gid: Number(name) };
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = accounts
    .split('\n')
    .map((line) => line.split(':'))
    .find(([account]) => account === (name ?? ACCOUNT));
  const [uid, gid] = fields?.slice(2, 4).map(Number) ?? [];
  if (uid && gid) return { uid, gid };
  if (name !== undefined) throw new OperatorError(`WORKER_USER: there is no user ${name} on this machine`);
  return UNNAMED;
}

/**
 * The folder for artifacts, if it is a local one. Below DATA_DIR it is handed over; one that the
 * operator named stays as it is.
 */
async function prepareArtifacts(
  config: Config,
  { uid, gid }: { uid: number; gid: number },
): Promise<string | null> {
  if (!config.artifactsUrl?.startsWith('file:')) return null;
  const folder = fileURLToPath(config.artifactsUrl);
  if (!folder.startsWith(`${resolve(config.dataDir)}/`)) return folder;
  await makeFolder(folder, 0o700);
  if ((await stat(folder)).uid !== uid) {
    for (const name of await readdir(folder, { recursive: true })) await chown(join(folder, name), uid, gid);
  }
  // Last, so that a start that was interrupted goes on.
  await chown(folder, uid, gid);
  return folder;
}

function environmentOf(
  config: Config,
  home: string,
  { NODE_EXTRA_CA_CERTS: authorities, PLAYWRIGHT_BROWSERS_PATH: browsers, TMPDIR, PATH }: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  return {
    ...(PATH ? { PATH } : {}),
    ...(TMPDIR ? { TMPDIR } : {}),
    HOME: home,
    USER: ACCOUNT,
    LOGNAME: ACCOUNT,
    // Relative paths are relative to the supervisor's folder.
    ...(config.chromiumPath ? { CHROMIUM_PATH: resolve(config.chromiumPath) } : {}),
    ...(config.directoriesFile ? { DIRECTORIES_FILE: config.directoriesFile } : {}),
    ...(authorities ? { NODE_EXTRA_CA_CERTS: resolve(authorities) } : {}),
    PLAYWRIGHT_BROWSERS_PATH: browsers ?? join(homedir(), '.cache', 'ms-playwright'),
  };
}

/** Runs as the user: finds Chromium, which loads the program and its packages, and tries each path. */
const PROBE = `
const { accessSync, constants } = await import('node:fs');
const [module, configured, ...paths] = process.argv.slice(1);
const can = (path, mode) => { try { accessSync(path, mode); return true } catch { return false } };
const isWritten = (each) => each[0] === 'w';
const lacking = paths.find((each) => !can(each.slice(1), isWritten(each) ? constants.W_OK | constants.X_OK : constants.R_OK));
const problemOfBrowser = async () => {
  const loaded = await import(module).catch(() => null);
  if (!loaded) return 'cannot read node_modules';
  const chromium = loaded.findChromium(configured);
  return chromium && can(chromium, constants.X_OK) ? 'ok' : 'may not run the browser';
};
process.stdout.write(
  lacking ? \`cannot \${isWritten(lacking) ? 'write to' : 'read'} \${lacking.slice(1)}\` : await problemOfBrowser(),
);
`;

/** Why that user cannot run a worker; null if it can. */
async function problemOf(
  ids: { uid: number; gid: number },
  home: string,
  env: NodeJS.ProcessEnv,
  root: string,
  artifacts: string | null,
): Promise<string | null> {
  const entry = join(root, 'workers/scraper/main.js');
  const chromium = join(root, 'scraping/browser/process/chromium.js');
  const paths = [
    ...[`r${entry}`, `r${chromium}`, `w${home}`, `w${env.TMPDIR ?? '/tmp'}`],
    ...(artifacts ? [`w${artifacts}`] : []),
    ...[env.DIRECTORIES_FILE, env.NODE_EXTRA_CA_CERTS].flatMap((path) => (path ? [`r${path}`] : [])),
  ];
  const args = [
    '--input-type=module',
    '-e',
    PROBE,
    pathToFileURL(chromium).href,
    env.CHROMIUM_PATH ?? '',
    ...paths,
  ];
  const child = spawn(process.execPath, args, {
    ...{ ...ids, env, cwd: '/' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const late = setTimeout(() => child.kill('SIGKILL'), PROBE_MS);
  try {
    const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
    if (said === 'ok') return null;
    return said || `cannot run ${process.execPath} and ${dirname(root)}`;
  } catch (error) {
    return `cannot run Node (${(error as Error).message})`;
  } finally {
    clearTimeout(late);
  }
}

const PROBE_MS = 20_000;
