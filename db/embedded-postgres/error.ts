import { OperatorError } from '../../runtime/operator-error.ts';

/** Why there is no embedded Postgres, in words for the operator. */
export class EmbeddedPostgresError extends OperatorError {
  override name = 'EmbeddedPostgresError';
}
