import type { CDPSession } from 'playwright';
import { type DomSnapshot, takeDomSnapshot } from './dom-snapshot.ts';
import { WORLD } from './in-page.ts';

/**
 * The snapshotted into a page that does nothing by itself, taken by the page's own thread the moment its document is parsed and sent
 * without being asked for. Most pages are such. What is left of the page is then hidden and stopped, so that it is neither laid out
 * nor painted while its end is on the way: 20 of 195 ms of processor time a page, with 2 cores and extraction beside it.
 *
 * A page at rest is the same without its style sheets, so they are asked for only when it is known to act: by its scripts, which wait
 * for the styles above them, or by not having come to its end within a moment. Another 5 ms, and less for the site to serve.
 */
export interface EarlySnapshot {
  /** Of the document the tab shows; null where it has something still to do, or nobody wanted to know. */
  readonly snapshot: DomSnapshot | null;
  /** Resolves once a page is known not to be at rest; never for one that is. */
  readonly active: Promise<void>;
}

/** What the early snapshot needs of a tab. */
export interface SnapshotTab {
  readonly cdp: CDPSession;
  readonly mainFrameId: string;
  readonly listen: CDPSession['on'];
  /** See `enableEarlySnapshot`; null: it takes none. */
  earlySnapshotScript: string | null;
}

/** From before the tab navigates. */
export function awaitEarlySnapshot(tab: SnapshotTab): EarlySnapshot {
  let isActive = () => {};
  const snapshotted: { snapshot: DomSnapshot | null; active: Promise<void> } = {
    snapshot: null,
    active: new Promise((resolve) => {
      isActive = resolve;
    }),
  };
  tab.listen('Page.frameNavigated', ({ frame }) => {
    if (frame.id === tab.mainFrameId) snapshotted.snapshot = null;
  });
  tab.listen('Runtime.bindingCalled', ({ name, payload }) => {
    if (name !== BINDING) return;
    if (payload === '') isActive();
    else snapshotted.snapshot = JSON.parse(payload) as DomSnapshot;
  });
  tab.listen('Page.domContentEventFired', () => {
    if (!snapshotted.snapshot) isActive();
  });
  return snapshotted;
}

/** Once for a tab. @returns what `disableEarlySnapshot` takes */
export async function enableEarlySnapshot(cdp: CDPSession): Promise<string> {
  const [{ identifier }] = await Promise.all([
    cdp.send('Page.addScriptToEvaluateOnNewDocument', { worldName: WORLD, source: EARLY_SNAPSHOT_SCRIPT }),
    // What a binding is called with is told to none but those who hear of contexts.
    cdp.send('Runtime.enable'),
    // Known in our world alone: no page can call it.
    cdp.send('Runtime.addBinding', { name: BINDING, executionContextName: WORLD }),
  ]);
  return identifier;
}

/** For pages of which more is wanted than one snapshotted gives. */
export async function disableEarlySnapshot(tab: SnapshotTab): Promise<void> {
  const identifier = tab.earlySnapshotScript;
  if (identifier === null) return;
  tab.earlySnapshotScript = null;
  await Promise.all([
    tab.cdp.send('Page.removeScriptToEvaluateOnNewDocument', { identifier }),
    tab.cdp.send('Runtime.disable'),
  ]);
}

/** Whether no part of a page acts by itself: what is drawn is what was sent. Runs in the page. */
export function isStatic(): boolean {
  const isProgram = (script: Element) => {
    const type = script.getAttribute('type');
    return !type || type === 'module' || /(java|ecma)script/i.test(type);
  };
  const ACTS =
    'iframe, frame, object, embed, meta[http-equiv="refresh" i], [onload], [onerror], [onbegin], [onfocus], [onpageshow], [ontoggle]';
  return !Array.from(document.querySelectorAll('script')).some(isProgram) && !document.querySelector(ACTS);
}

const BINDING = 'leadengineSeen';
/** A larger document is asked for, by someone who knows how large it may be. */
const MAX_CHARS = 2_000_000;

/** How often it is looked for what acts, and how long a document may take before it is believed to. */
const WATCH_EVERY_MS = 10;
const WATCHES = 20;

/** Runs in every document before its own scripts; acts on those of a tab's own address alone. */
const EARLY_SNAPSHOT_SCRIPT = `if (window === top && /^https?:$/.test(location.protocol)) {
  const isStatic = ${isStatic};
  let watches = 0;
  const watching = setInterval(() => {
    watches += 1;
    if (watches < ${WATCHES} && isStatic()) return;
    clearInterval(watching);
    ${BINDING}('');
  }, ${WATCH_EVERY_MS});
  document.addEventListener('DOMContentLoaded', () => {
    clearInterval(watching);
    if (!isStatic()) return;
    const snapshot = (${takeDomSnapshot})({ maxChars: ${MAX_CHARS} });
    if (snapshot.html === null) return;
    ${BINDING}(JSON.stringify(snapshot));
    window.stop();
    document.documentElement?.style?.setProperty('display', 'none', 'important');
  }, { once: true });
}`;
