import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { LeadEngine } from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { removeLogin, writeLogin } from '../server/login.ts';
import { examples } from './arguments.ts';

export function addLogin(program: Command, context: () => Context): void {
  program
    .command('login')
    .summary('keep the address and key of a server')
    .description(
      'Checks the address and API key of a server and keeps them for further commands, in a file that\n' +
        'only you can read. Asks for what --server and --key do not say; the key may come by a pipe.',
    )
    .addHelpText(
      'after',
      examples(
        ['leadengine login', 'asks for both'],
        ['leadengine login --server https://scrape.example.com < key.txt', 'in a script'],
      ),
    )
    .action(async () => {
      const given = context();
      const { output, signal, env, folders } = given;
      const url = given.given.server ?? env.LEADENGINE_URL ?? (await ask(given, 'Server: ', false));
      const apiKey = given.given.key ?? env.LEADENGINE_API_KEY ?? (await ask(given, 'API key: ', true));
      if (!apiKey) throw new Failure('the API key is empty');
      const engine = new LeadEngine({ url, apiKey });
      await engine.queue({ signal });
      const file = await writeLogin(folders, { url: engine.url, apiKey });
      output.say(`leadengine: ${engine.url} is used from now on (${file})`);
    });

  program
    .command('logout')
    .description('Forgets what `leadengine login` kept.')
    .action(async () => {
      const { output, folders } = context();
      const was = await removeLogin(folders);
      output.say(was ? 'leadengine: the address and key are forgotten' : 'leadengine: there was no login');
    });
}

/** On a terminal what is typed for a secret does not show; from a pipe it is the first line. */
async function ask({ stdin, output, signal }: Context, question: string, isSecret: boolean): Promise<string> {
  if (!stdin.isTTY && !isSecret) throw new Failure('which server? give it with --server');
  if (stdin.isTTY) output.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: stdin,
    output: isSecret ? silent : (output.stderr as NodeJS.WriteStream),
    terminal: stdin.isTTY === true,
  });
  try {
    const lines = terminal[Symbol.asyncIterator]();
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    });
    const { value } = await Promise.race([lines.next(), stopped]);
    if (isSecret && stdin.isTTY) output.stderr.write('\n');
    return String(value ?? '').trim();
  } finally {
    terminal.close();
  }
}
