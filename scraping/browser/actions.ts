import type { Action } from '../../core/jobs/job-schemas.ts';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { Deadline } from '../fetching/deadline.ts';
import type { ActionEffects } from './action-effects.ts';
import { addTaken, type Taken, takeScreenshot } from './capture.ts';
import type { Tab } from './tab.ts';

/** How long an action looks for its element. */
const FIND_TIMEOUT_MS = 10_000;
const SCROLL_PX = 800;

/**
 * Runs the user's actions on the loaded page, in order.
 *
 * @param pictures receives each screenshot at once, so that those before a failure are kept
 * @param effects what an action causes beside it is handled before the next one
 * @throws PageFailure one of `ACTION_ERRORS`, with index and type of the failed action in its
 *   message
 */
export async function runActions(
  tab: Tab,
  actions: Action[],
  pictures: Taken,
  deadline: Deadline,
  effects: ActionEffects,
): Promise<void> {
  for (const [index, action] of actions.entries()) {
    try {
      await deadline.race(runAction(tab, action, pictures, deadline));
    } catch (error) {
      // A deadline, a cancel or a crash is not the action's failure; Playwright's own errors are.
      if (!isActionProblem(error)) throw error;
      const { message } = error as Error;
      // What is typed may be a password.
      const typed = action.type === 'type' ? action.text : '';
      const isQuoted = typed !== '' && message.includes(typed);
      const reason = firstLine(isQuoted ? message.replaceAll(typed, '***') : message);
      throw new PageFailure(
        'action_failed',
        `action ${index} (${action.type}): ${reason}`,
        isQuoted ? undefined : { cause: error },
      );
    }
    await handleEffects(effects, actions, index);
  }
}

/** @param index of the action that caused them, named in the failure's message */
export async function handleEffects(effects: ActionEffects, actions: Action[], index: number): Promise<void> {
  try {
    await effects.handle();
  } catch (error) {
    if (!(error instanceof PageFailure && ACTION_ERRORS.has(error.code))) throw error;
    throw new PageFailure(error.code, `action ${index} (${actions[index]?.type}): ${error.message}`, {
      cause: error,
    });
  }
}

/** The page is returned in the state in which the action left it. */
export const ACTION_ERRORS: ReadonlySet<string> = new Set([
  'action_failed',
  'action_download',
  'action_new_window',
]);

async function runAction(tab: Tab, action: Action, pictures: Taken, deadline: Deadline): Promise<void> {
  const { page } = tab;
  // `css=`, or Playwright would guess XPath and its other selector engines.
  const find = (selector: string) => page.locator(`css=${selector}`).first();
  // Leaves time to extract the page after a failed action.
  const timeout = Math.min(FIND_TIMEOUT_MS, Math.max(1, deadline.remainingMs() * 0.7));
  switch (action.type) {
    case 'wait':
      if (action.selector !== undefined) await find(action.selector).waitFor({ state: 'attached', timeout });
      if (action.ms !== undefined) await deadline.sleep(action.ms);
      return;
    case 'click':
      return await find(action.selector).click({ timeout });
    case 'type':
      // Found first: the timeout of `pressSequentially` includes the typing, which is long for a
      // long text.
      await find(action.selector).waitFor({ state: 'attached', timeout });
      return await find(action.selector).pressSequentially(action.text, { timeout: deadline.remainingMs() });
    case 'select':
      await find(action.selector).selectOption(action.value, { timeout });
      return;
    case 'hover':
      return await find(action.selector).hover({ timeout });
    case 'press':
      if (action.selector !== undefined) return await find(action.selector).press(action.key, { timeout });
      return await page.keyboard.press(action.key);
    case 'scroll': {
      if (action.selector !== undefined && action.amount === undefined && action.direction === undefined) {
        return await find(action.selector).scrollIntoViewIfNeeded({ timeout });
      }
      const distance = (action.amount ?? SCROLL_PX) * (action.direction === 'up' ? -1 : 1);
      const element = find(action.selector ?? ':root');
      await element.evaluate((target, top) => target.scrollBy({ top, behavior: 'instant' }), distance, {
        timeout,
      });
      return;
    }
    case 'screenshot':
      addTaken(pictures, await takeScreenshot(tab, 'action_screenshot', action.full_page ?? false));
      return;
    default:
      return action satisfies never;
  }
}

const isActionProblem = (error: unknown) =>
  error instanceof Error &&
  /^(locator|keyboard|page)\.|selector|Timeout \d+ms exceeded|Unknown key/i.test(error.message) &&
  !/has been closed|crashed/i.test(error.message);

/** Playwright appends a call log, which quotes the page. */
const firstLine = (message: string) => (message.split('\n')[0] ?? '').slice(0, 300);
