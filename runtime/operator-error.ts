/** What the person who starts a process can mend: told in one line, and without a stack. */
export class OperatorError extends Error {
  override name = 'OperatorError';
}
