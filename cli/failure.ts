import { ApiError, ConnectionError, JobError, LeadEngineError, PageError } from '../sdk/src/index.ts';
import { EXIT } from './exit-codes.ts';

/** What the user of the command can correct; the message says how. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.usage,
  ) {
    super(message);
  }
}

/** Reason of the signal that ends a command. */
export class Interrupted extends Error {}
/** The reader of the output has left, such as `head`. */
export class OutputClosed extends Error {}

/** An error as one line with its cure, and the exit code. Null: say nothing. */
export function explain(error: unknown): { line: string | null; exitCode: number } {
  if (error instanceof OutputClosed) return { line: null, exitCode: EXIT.done };
  if (error instanceof Interrupted) return { line: 'interrupted', exitCode: EXIT.interrupted };
  if (error instanceof Failure) return { line: error.message, exitCode: error.exitCode };
  if (error instanceof ApiError) return explainAnswer(error);
  if (error instanceof ConnectionError) {
    const cure = 'check --server or LEADENGINE_URL, or start one with `leadengine up`';
    return { line: `${error.message}: ${cure}`, exitCode: EXIT.unreachable };
  }
  if (error instanceof PageError || error instanceof JobError) {
    return { line: `${error.message} (${error.code})${cureOf(error.code)}`, exitCode: EXIT.failed };
  }
  if (error instanceof LeadEngineError) return { line: error.message, exitCode: EXIT.usage };
  const { code, message } = error as NodeJS.ErrnoException;
  if (code) return { line: message, exitCode: EXIT.unexpected };
  return { line: (error as Error)?.stack ?? String(error), exitCode: EXIT.unexpected };
}

function explainAnswer(error: ApiError): { line: string; exitCode: number } {
  switch (error.status) {
    case 401:
      return {
        line: 'the server does not accept the API key: run `leadengine login`, or set LEADENGINE_API_KEY',
        exitCode: EXIT.refused,
      };
    case 403:
      return { line: `${error.message}: use a key that may do this`, exitCode: EXIT.refused };
    case 404:
      return { line: `${error.message}: \`leadengine jobs\` lists yours`, exitCode: EXIT.notFound };
    case 429:
    case 503:
      return { line: `${error.message}: try again later`, exitCode: EXIT.unreachable };
    default: {
      const others = error.errors.slice(1).map(({ path, message }) => `${path}: ${message}`);
      const line = [error.message.replace(/ \(and \d+ more\)$/, ''), ...others].join('; ');
      const exitCode = error.status < 500 ? EXIT.usage : EXIT.unexpected;
      return { line: error.status < 500 ? line : `${line} (request ${error.requestId})`, exitCode };
    }
  }
}

/** For the errors that a first try runs into. */
function cureOf(code: string): string {
  switch (code) {
    case 'egress_refused':
      return ': a private address; the server opens it if EGRESS_ALLOW names it';
    case 'robots_disallowed':
      return ": the site's robots.txt does not allow it";
    case 'dns_failed':
      return ': check the host name';
    default:
      return '';
  }
}
