import { PageFailure } from '../../core/jobs/page-errors.ts';
import { parseUrl } from '../../core/parse-url.ts';
import type { Deadline } from '../fetching/deadline.ts';
import type { DocumentWatch } from './document-watch.ts';
import { navigatedAway, runInPage, WORLD } from './in-page.ts';
import { navigate } from './navigation.ts';
import type { Tab } from './tab.ts';

/**
 * What an action caused beside the change of the page: a window that the page opened, or a
 * download. A new window is followed in the same tab; a download fails the action. Without this the
 * page before the click would be returned as if it were the page after it.
 */
export interface ActionEffects {
  /** Handles what happened since the last call. @throws PageFailure for what cannot be followed */
  handle(): Promise<void>;
}

/** Call when the page is loaded: windows and downloads of its own are not the actions'. */
export function watchActionEffects(tab: Tab, watch: DocumentWatch, deadline: Deadline): ActionEffects {
  const windows: OpenedWindow[] = [];
  let download: string | null = null;
  let documents = watch.documentsRequested;
  tab.listen('Page.windowOpen', ({ url, windowFeatures }) => {
    if (windows.length < MAX_WINDOWS) windows.push({ url, features: windowFeatures });
  });
  tab.onDownload((started) => {
    download ??= started.suggestedFilename().slice(0, 200);
  });

  return {
    async handle() {
      // The events of an action come before the answer to a later command.
      await deadline.race(tab.cdp.send('Page.getLayoutMetrics')).catch((error: unknown) => {
        deadline.signal.throwIfAborted();
        // It failed because the page navigates.
        if (!(error instanceof Error)) throw error;
      });
      await watch.documentSettled(deadline);
      if (download !== null) {
        const name = download;
        download = null;
        throw new PageFailure('action_download', `it downloads a file (${name}), which is not a page`);
      }
      const [opened] = windows.splice(0);
      const hasNavigated = watch.documentsRequested !== documents;
      documents = watch.documentsRequested;
      // A page that also navigates itself opened an advertisement.
      if (!opened || hasNavigated) return;
      await follow(opened);
      documents = watch.documentsRequested;
    },
  };

  async function follow({ url, features }: OpenedWindow): Promise<void> {
    const from = tab.page.url();
    const target = parseUrl(url, from);
    if (!target || !/^https?:$/.test(target.protocol)) {
      const shown = url === '' ? 'about:blank' : url.slice(0, 200);
      throw new PageFailure('action_new_window', `it opens a window (${shown}) that cannot be followed`);
    }
    // A form that a script submits into a window: its method and fields are the form's.
    const isSubmitted = await deadline
      .race(runInPage(tab, submitHere, target.href))
      .catch((error: unknown) => {
        if (!navigatedAway(error)) throw error;
        return false;
      });
    if (isSubmitted) {
      await deadline.race(tab.cdp.send('Page.getLayoutMetrics')).catch(() => {});
      await watch.documentSettled(deadline);
      return;
    }
    const referer = features.includes('noreferrer') ? undefined : referrerFor(target, from);
    try {
      await navigate(tab, target.href, watch, deadline, referer);
    } catch (error) {
      // A denied navigation is reported by the watch, like that of a link.
      if (watch.stopped === null || error !== watch.stopped) throw error;
    }
  }
}

interface OpenedWindow {
  url: string;
  features: string[];
}

/** A page may open windows in a loop. */
const MAX_WINDOWS = 100;

/** Submits the form whose window this would be, in the tab; false if there is none. Runs in the page. */
function submitHere(url: string): boolean {
  const opensWindow = (target: string | null) => !!target && !/^_(self|top|parent)$/i.test(target);
  const form = Array.from(document.forms).find(
    (each) => each.method === 'post' && each.action === url && opensWindow(each.getAttribute('target')),
  );
  if (!form) return false;
  form.setAttribute('target', '_top');
  HTMLFormElement.prototype.submit.call(form);
  return true;
}

/** By browsers' default policy, `strict-origin-when-cross-origin`. */
function referrerFor(target: URL, from: string): string | undefined {
  const page = parseUrl(from);
  if (!page || !/^https?:$/.test(page.protocol)) return undefined;
  if (page.origin === target.origin) return page.href.replace(/#.*$/s, '');
  return page.protocol === 'https:' && target.protocol === 'http:' ? undefined : `${page.origin}/`;
}

/**
 * Links and forms that would open a window are retargeted to the tab just before they act. Runs in
 * every document, in an isolated world; `window.open` is left to `watchActionEffects`.
 */
function keepInTab(): void {
  const isFrame = (name: string) => {
    try {
      return Array.from(top?.document.querySelectorAll('iframe, frame') ?? [], (frame) =>
        frame.getAttribute('name'),
      ).includes(name);
    } catch {
      // The top document has another origin.
      return true;
    }
  };
  const opensWindow = (name: string) =>
    name !== '' && !/^_(self|top|parent)$/i.test(name) && (/^_blank$/i.test(name) || !isFrame(name));
  const ofPage = () => document.querySelector('base[target]')?.getAttribute('target') ?? '';
  addEventListener(
    'click',
    (event) => {
      const link = event
        .composedPath()
        .find((each) => each instanceof Element && /^(a|area)$/i.test(each.tagName));
      if (link instanceof Element && opensWindow(link.getAttribute('target') ?? ofPage()))
        link.setAttribute('target', '_top');
    },
    true,
  );
  addEventListener(
    'submit',
    (event) => {
      const [form, button] = [event.target, event.submitter];
      const ofButton = button?.getAttribute('formtarget');
      if (!(form instanceof Element) || !opensWindow(ofButton ?? form.getAttribute('target') ?? ofPage()))
        return;
      if (ofButton) button?.setAttribute('formtarget', '_top');
      else form.setAttribute('target', '_top');
    },
    true,
  );
}

/** Once per tab: the actions of a job are the same for all of its pages. */
export async function keepLinksInTab(tab: Tab): Promise<void> {
  if (tab.keepsLinks) return;
  tab.keepsLinks = true;
  await tab.cdp.send('Page.addScriptToEvaluateOnNewDocument', {
    worldName: WORLD,
    source: `(${keepInTab})();`,
  });
}
