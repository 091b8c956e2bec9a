/** Why a run is ended from outside; the reason of its AbortSignal. */
export class RunAborted extends Error {
  override name = 'RunAborted';

  constructor(readonly why: 'lost' | 'released') {
    super(why === 'lost' ? 'the job was cancelled or taken over' : 'the worker is shutting down');
  }
}
