import type { CDPSession } from 'playwright';

/** Name of the isolated world in which our functions run. */
export const WORLD = 'leadengine';

/**
 * Runs a function in the page's main frame, in an isolated world: the same document, but built-ins
 * that the page cannot have replaced (Prototype's `Array.prototype.toJSON` breaks
 * `JSON.stringify`). Costs one round trip beside the creation of the world.
 *
 * @param inPage must be self-contained: only its source text is sent. No imports, no outer helpers.
 * @throws Error if the page navigates meanwhile; see `navigatedAway`
 */
export function runInPage<Argument, Result>(
  target: { cdp: CDPSession; mainFrameId: string },
  inPage: (argument: Argument) => Result | Promise<Result>,
  argument: Argument,
): Promise<Result> {
  return runSource(target, String(inPage), argument);
}

/** @param source of a function, see `runInPage` */
export async function runSource<Argument, Result>(
  target: { cdp: CDPSession; mainFrameId: string },
  source: string,
  argument: Argument,
): Promise<Result> {
  const { executionContextId } = await target.cdp.send('Page.createIsolatedWorld', {
    frameId: target.mainFrameId,
    worldName: WORLD,
  });
  const { result, exceptionDetails } = await target.cdp.send('Runtime.evaluate', {
    expression: `(${source})(${JSON.stringify(argument)})`,
    contextId: executionContextId,
    awaitPromise: true,
    returnByValue: true,
  });
  if (exceptionDetails) {
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
  return result.value as Result;
}

/** Whether the page navigated while a function ran in it: retry on the next document. */
export const navigatedAway = (error: unknown): boolean =>
  error instanceof Error &&
  /context (was|with specified id)|Cannot find context|Inspected target navigated|No frame for given id|Promise was collected/i.test(
    error.message,
  );
