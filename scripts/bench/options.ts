import { parseArgs } from 'node:util';

export const PARTS = ['accept', 'drain', 'idle', 'backlog', 'pages', 'peers', 'explain'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  only: ReadonlySet<Part>;
  /** Shorter and less often: to see that everything runs, not to quote. */
  quick: boolean;
  json: string | undefined;
  /** How often each figure is measured; the median counts. */
  rounds: number;
}

export class UsageError extends Error {}

export function parseOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      rounds: { type: 'string' },
    },
  });
  const names = values.only?.split(',') ?? PARTS;
  const unknown = names.filter((name) => !PARTS.includes(name as Part));
  if (unknown.length > 0) throw new UsageError(`--only takes ${PARTS.join(',')}; not ${unknown.join(',')}`);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds takes a whole number from 1');
  return { only: new Set(names as Part[]), quick: values.quick, json: values.json, rounds };
}
