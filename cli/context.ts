import type { LeadEngine } from '../sdk/src/index.ts';
import type { Output } from './output.ts';
import type { Environment, Folders } from './server/folders.ts';

/** What every command gets. */
export interface Context {
  output: Output;
  /** Fires on Ctrl-C, and when the reader of the output leaves. */
  signal: AbortSignal;
  env: Environment;
  folders: Folders;
  stdin: NodeJS.ReadStream;
  /** `--server` and `--key`. */
  given: { server: string | undefined; key: string | undefined };
  /** The server: found, or started if the command has something to do there. */
  connect(options?: { mayStart?: boolean }): Promise<LeadEngine>;
}
