import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import {
  findLocalServer,
  START,
  serverEnvironment,
  startLocalServer,
  stopLocalServer,
} from '../server/local-server.ts';
import { examples } from './arguments.ts';

export function addUp(program: Command, context: () => Context): void {
  program
    .command('up')
    .summary('start a server on this machine')
    .description(
      'Starts a server with everything it needs, on 127.0.0.1. Its data is in your data folder, or where\n' +
        'DATA_DIR says. All settings of a server are read from the environment.',
    )
    .option('-d, --detach', 'in the background, until `leadengine down`')
    .addHelpText(
      'after',
      examples(
        ['leadengine up', 'in this terminal, until Ctrl-C'],
        ['EGRESS_ALLOW=192.168.0.0/16 WORKERS=4 leadengine up -d', 'with settings, in the background'],
      ),
    )
    .action(async ({ detach }: { detach?: boolean }) => {
      const { output, signal, env, folders } = context();
      const running = await findLocalServer(env, folders);
      if (running) {
        output.say(`leadengine: one runs already on ${running.url}, with its data in ${running.dataDir}`);
        if (output.json) await output.value({ url: running.url, data_dir: running.dataDir });
        return;
      }
      const dataDir = resolve(env.DATA_DIR ?? folders.data);
      if (!detach) return runHere(dataDir, env, signal);
      output.say('leadengine: starting …');
      const server = await startLocalServer(dataDir, env, signal);
      output.say(
        `leadengine: it runs on ${server.url}, with its data in ${dataDir}; \`leadengine down\` stops it`,
      );
      if (output.json) await output.value({ url: server.url, data_dir: server.dataDir });
    });

  program
    .command('down')
    .description('Stops the server on this machine; unfinished jobs go on at its next start.')
    .action(async () => {
      const { output, env, folders } = context();
      const server = await findLocalServer(env, folders);
      if (!server) return output.say('leadengine: no server runs here');
      output.say(`leadengine: stopping ${server.url} …`);
      if (await stopLocalServer(server)) return output.say('leadengine: it has stopped');
      throw new Failure(`it does not stop (pid ${server.pid})`, EXIT.unexpected);
    });
}

/** The server's own output and signals: this command is only its parent. */
async function runHere(dataDir: string, env: Context['env'], signal: AbortSignal): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const child = spawn(process.execPath, [START], { stdio: 'inherit', env: serverEnvironment(dataDir, env) });
  // A terminal sends Ctrl-C to both; a `kill` reaches only this one.
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const [code, reason] = await new Promise<[number | null, string]>((done) => {
    child.once('error', (error) => done([EXIT.unexpected, error.message]));
    child.once('exit', (exitCode, name) => done([exitCode, String(name)]));
  });
  if (code !== 0 && !signal.aborted) {
    throw new Failure(`the server ended (${code ?? reason})`, EXIT.unexpected);
  }
}
