const MEANING = {
  lost: 'the job was cancelled or taken over',
  released: 'the worker is shutting down',
  late: 'the attempt took longer than it may',
};

/** Why a run is ended from outside; the reason of its AbortSignal. */
export class RunAborted extends Error {
  override name = 'RunAborted';

  constructor(readonly why: keyof typeof MEANING) {
    super(MEANING[why]);
  }
}
