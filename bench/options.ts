import { type ParseArgsConfig, parseArgs } from 'node:util';

export const PARTS = [
  'accept',
  'drain',
  'idle',
  'backlog',
  'notifications',
  'streams',
  'redirects',
  'clicks',
  'crawl',
  'event_loop',
  'stats',
  'pages',
  'scrape',
  'http',
  'browser',
  'memory',
  'peers',
  'explain',
] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  only: ReadonlySet<Part>;
  /** Shorter and fewer runs: to check that everything works, not to quote. */
  quick: boolean;
  json: string | undefined;
  /** Rounds per figure; the median counts. */
  rounds: number;
  /** Slots of the worker that drains. */
  slots: number[];
  /**
   * Also report what each drain's statements cost in Postgres. Counting them costs a little itself.
   */
  statements: boolean;
}

export class UsageError extends Error {}

export function parseOptions(args: string[]): BenchOptions {
  const values = read(args);
  const names = values.only?.split(',') ?? PARTS;
  const unknown = names.filter((name) => !PARTS.includes(name as Part));
  if (unknown.length > 0) throw new UsageError(`--only takes ${PARTS.join(',')}; not ${unknown.join(',')}`);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds takes a whole number from 1');
  const slots = values.slots.split(',').map(Number);
  if (slots.some((slot) => !Number.isInteger(slot) || slot < 1 || slot > 256)) {
    throw new UsageError('--slots takes whole numbers from 1 to 256');
  }
  const { quick, json, statements } = values;
  return { only: new Set(names as Part[]), quick, json, rounds, slots, statements };
}

function read(args: string[]) {
  const options = {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    rounds: { type: 'string' },
    slots: { type: 'string', default: '1,4,16,64' },
    statements: { type: 'boolean', default: false },
  } as const;
  return parseArguments({ args, options }, 'npm run bench').values;
}

/** Node's `parseArgs` with one-line errors. @throws UsageError */
export function parseArguments<T extends ParseArgsConfig>(config: T, command: string) {
  try {
    return parseArgs(config);
  } catch (error) {
    const [problem = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/);
    throw new UsageError(`${problem.replace(/\.$/, '')}: \`${command} -- --help\` lists the options`);
  }
}

/** What --help prints. */
export const USAGE = `usage: npm run bench -- [--only ${PARTS.join(',')}] [--rounds 3] [--slots 1,4,16,64] [--quick] [--statements] [--json file]`;
