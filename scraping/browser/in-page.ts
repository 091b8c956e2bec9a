import type { CDPSession } from 'playwright';

/** The name of the world that what we run in pages lives in. */
export const WORLD = 'leadengine';

/**
 * Runs a function in the page's main frame, in a world of its own: the same document, but JavaScript built-ins that the page
 * cannot have replaced (old sites do: Prototype's `Array.prototype.toJSON` breaks `JSON.stringify`). One round trip beside the
 * making of the world.
 *
 * @param inPage must be self-contained: its source text is what travels. No imports, no helpers outside of it.
 * @throws Error when the page navigates away meanwhile; see `navigatedAway`
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

/** Whether the page went elsewhere while a function ran in it: worth another try there. */
export const navigatedAway = (error: unknown): boolean =>
  error instanceof Error &&
  /context (was|with specified id)|Cannot find context|Inspected target navigated|No frame for given id|Promise was collected/i.test(
    error.message,
  );
