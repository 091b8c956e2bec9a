/** Why there is no embedded Postgres, in words for the person who started it: print the message, not the stack. */
export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError';
}
