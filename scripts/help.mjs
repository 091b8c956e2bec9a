// `npm run help`: lists every command; and the argument handling of the commands.
import { pathToFileURL } from 'node:url';
import { runScript, SetupError } from './steps.mjs';

/** Descriptions by npm script. */
export const COMMANDS = {
  start: 'sets up what is missing, then runs API, workers, notifier and analytics; Ctrl-C stops them',
  test: "sets up what the tests need and runs every test; arguments are Jest's own",
  help: 'prints this list',
  setup: 'installs dependencies, builds, and finds or installs a browser, if they are missing',
  build: 'compiles to dist/',
  prepack: 'builds the package leadengine, server and command, before `npm pack` or `npm publish`',
  'build:sdk': 'compiles the package @leadengine/sdk to sdk/dist',
  check: 'formatting, lint, types, unused code and the unit tests; changes nothing',
  fix: 'formats, and fixes what the linter can fix by itself',
  coverage: 'the unit tests with the coverage of every source file',
  docs: 'writes what is derived from the code: .env.example, Compose, the references of settings and error codes',
  api: 'runs one API process of a fleet',
  worker: 'runs one scraping worker of a fleet',
  notifier: 'runs one notifier of a fleet: webhooks, e-mail, push',
  analytics: 'runs one analytics worker of a fleet: counts clicks and jobs',
  dispatch: 'runs the scheduler apart from the API (DISPATCH=apart)',
  bench: 'measures throughput and latency on servers of its own; --help lists the options',
  'bench:content': 'measures content extraction on a folder of labelled pages; --help lists the options',
  chaos: 'kills processes and servers under load and audits what is left; --help lists the options',
};

/** @param {string} name an npm script */
export function helpOf(name) {
  return [
    `${commandLine(name)}: ${COMMANDS[name]}.`,
    ...(name === 'test' ? [] : ['Takes no arguments.']),
    'Settings come from the environment or from .env: docs/reference/configuration.md lists them.',
    'Other commands: npm run help',
  ].join('\n');
}

/**
 * For a command without arguments. Prints its help and exits on --help or -h.
 *
 * @throws {SetupError} naming the first argument
 */
export function takeNoArguments(name, args) {
  if (args.some((argument) => argument === '--help' || argument === '-h')) {
    console.log(helpOf(name));
    process.exit(0);
  }
  if (args.length === 0) return;
  throw new SetupError(
    `${commandLine(name)} takes no arguments, but got ${JSON.stringify(args[0])}: set what you want to change in the environment or in .env (${commandLine(name)} -- --help)`,
  );
}

const commandLine = (name) => (name === 'start' || name === 'test' ? `npm ${name}` : `npm run ${name}`);

function list() {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => commandLine(name).length));
  return Object.entries(COMMANDS)
    .map(([name, description]) => `${commandLine(name).padEnd(width)}  ${description}`)
    .join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runScript(() => {
    takeNoArguments('help', process.argv.slice(2));
    console.log(list());
  });
}
