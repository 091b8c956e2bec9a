import { LeadEngine } from '../../sdk/src/index.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import type { Environment, Folders } from './folders.ts';
import { findLocalServer, startLocalServer } from './local-server.ts';
import { readLogin } from './login.ts';

export interface ConnectionOptions {
  /** `--server` and `--key`. */
  server?: string | undefined;
  key?: string | undefined;
  env: Environment;
  folders: Folders;
  output: Output;
  signal: AbortSignal;
  /** Start one if none is named and none runs. */
  mayStart: boolean;
}

/**
 * The server to talk to: the one that is named (option, environment, login), else the one that runs on
 * this machine, else a new one.
 */
export async function connect(options: ConnectionOptions): Promise<LeadEngine> {
  const { env, folders, output, signal, mayStart } = options;
  const url = options.server ?? env.LEADENGINE_URL;
  const key = options.key ?? env.LEADENGINE_API_KEY;
  const login = await readLogin(folders);
  if (url) {
    // The key of another server stays where it is.
    const apiKey = key ?? (login && sameServer(login.url, url) ? login.apiKey : undefined);
    return reachable(requireKey(url, apiKey ?? (await keyOfLocal(url, env, folders))), signal);
  }
  if (login) return reachable(requireKey(login.url, key ?? login.apiKey), signal);
  const running = await findLocalServer(env, folders);
  if (running) return requireKey(running.url, key ?? running.apiKey ?? undefined);
  if (!mayStart) {
    throw new Failure(
      'no server is named and none runs here: `leadengine up` starts one, `leadengine login` names one',
      EXIT.unreachable,
    );
  }
  output.say('leadengine: no server is named and none runs here: starting one in the background …');
  const started = await startLocalServer(folders.data, env, signal);
  output.say(
    `leadengine: it runs on ${started.url}, with its data in ${started.dataDir}; \`leadengine down\` stops it`,
  );
  return requireKey(started.url, key ?? started.apiKey ?? undefined);
}

function requireKey(url: string, apiKey: string | undefined): LeadEngine {
  if (apiKey) return new LeadEngine({ url, apiKey });
  throw new Failure(
    `there is no API key for ${url}: run \`leadengine login\`, or set LEADENGINE_API_KEY`,
    EXIT.refused,
  );
}

/** Before anything else, so that a wrong address is known at once: later requests are patient. */
async function reachable(engine: LeadEngine, signal: AbortSignal): Promise<LeadEngine> {
  const once = new LeadEngine({ url: engine.url, retry: { retries: 1 }, timeoutMs: PROBE_MS });
  await once.request('/health/live', { signal });
  return engine;
}

const PROBE_MS = 10_000;

/** A server of this machine that is named by its URL. */
async function keyOfLocal(url: string, env: Environment, folders: Folders): Promise<string | undefined> {
  const local = await findLocalServer(env, folders);
  return local && sameServer(local.url, url) ? (local.apiKey ?? undefined) : undefined;
}

const sameServer = (a: string, b: string) => a.replace(/\/+$/, '') === b.replace(/\/+$/, '');
