import { parseArguments, UsageError } from '../options.ts';

export interface ContentBenchOptions {
  /** Folder of labelled pages; docs/internals/content-bench.md describes its files. */
  corpus: string;
  only: ReadonlySet<string>;
  /** File that also gets the figures, as JSON. */
  report: string | undefined;
  /** Also read the pages through the browser. */
  browser: boolean;
  /**
   * Only pages whose number is even or odd: one half to tune on, the other to see whether it holds.
   */
  half: 'even' | 'odd' | undefined;
  /** Only every nth page. */
  every: number;
  /** File for the results per page, as JSON lines. */
  details: string | undefined;
}

/** What --help prints. */
export const USAGE =
  'usage: npm run bench:content -- <corpus folder> [--only part,part] [--browser] [--half even|odd] [--every n] [--report file] [--details file]';

/** @throws UsageError */
export function parseContentOptions(args: string[], parts: readonly string[]): ContentBenchOptions {
  const config = {
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      report: { type: 'string' },
      browser: { type: 'boolean', default: false },
      half: { type: 'string' },
      every: { type: 'string', default: '1' },
      details: { type: 'string' },
    },
  } as const;
  const { values, positionals } = parseArguments(config, 'npm run bench:content');
  const [corpus, ...more] = positionals;
  if (!corpus || more.length > 0) throw new UsageError(USAGE);
  const names = values.only?.split(',') ?? parts;
  const unknown = names.filter((name) => !parts.includes(name));
  if (unknown.length > 0) throw new UsageError(`--only takes ${parts.join(',')}; not ${unknown.join(',')}`);
  const { half, browser, report, details } = values;
  if (half !== undefined && half !== 'even' && half !== 'odd')
    throw new UsageError('--half takes even or odd');
  const every = Number(values.every);
  if (!Number.isInteger(every) || every < 1) throw new UsageError('--every takes a whole number from 1');
  return { corpus, every, only: new Set(names), browser, half, report, details };
}
