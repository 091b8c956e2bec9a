/** What the command's exit code says; docs/guide/cli.md lists them. */
export const EXIT = {
  done: 0,
  /** A bug, or a disk that is full. */
  unexpected: 1,
  /** Arguments, a URL, or a request that the server refused as it is. */
  usage: 2,
  /** The page or job failed. */
  failed: 3,
  unreachable: 4,
  /** No key, a wrong one, or one that may not do this. */
  refused: 5,
  /** There is no such job. */
  notFound: 6,
  /** Ctrl-C. */
  interrupted: 130,
} as const;
