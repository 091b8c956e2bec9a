/** What the person who starts a process can mend: told in one line, and without a stack. */
export class Complaint extends Error {
  override name = 'Complaint';
}
