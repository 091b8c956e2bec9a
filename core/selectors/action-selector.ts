import { type Dialect, named, parseSelector, taking } from './selector-parser.ts';

/**
 * What is wrong with a selector of `actions`, or null. It is run by Playwright, with `css=` before it: CSS as Chromium knows it,
 * Playwright's own pseudo-classes, and `>>` between selectors, each of which may name another engine (`text=`).
 */
export function actionSelectorProblem(selector: string): string | null {
  for (const [index, part] of splitChain(selector).entries()) {
    if (index > 0) {
      const engine = /^\*?([\w:+-]+)\s*=/.exec(part)?.[1];
      if (engine !== undefined && engine !== 'css') {
        if (ENGINES.has(engine)) continue;
        return `there is no selector engine ${engine.slice(0, 50)} after >>`;
      }
      if (/^(\(*\/\/|\.\.|".+"$|'.+'$)/s.test(part)) continue;
    } else if (/^(\(*\/\/|xpath=)/.test(part)) {
      return 'XPath is not supported: expected a CSS selector';
    }
    const css = index > 0 ? part.replace(/^\*?css\s*=/, '') : part;
    const parsed = parseSelector(css, PLAYWRIGHT);
    if (parsed.kind === 'wrong') return parsed.problem;
  }
  return null;
}

const ENGINES: ReadonlySet<string> = new Set(
  'css xpath text nth visible id data-testid data-test-id data-test'.split(' '),
);

/** The parts between `>>`, except in quotes. */
function splitChain(selector: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quote = '';
  for (let at = 0; at < selector.length; at += 1) {
    const character = selector[at] ?? '';
    if (character === '\\') at += 1;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'" || character === '`') quote = character;
    else if (character === '>' && selector[at + 1] === '>') {
      parts.push(selector.slice(start, at).trim());
      at += 1;
      start = at + 1;
    }
  }
  parts.push(selector.slice(start).trim());
  return parts;
}

const PLAYWRIGHT: Dialect = {
  plain: new Map([
    ...named('first-child last-child only-child first-of-type last-of-type only-of-type root scope empty'),
    ...named('checked indeterminate enabled disabled required optional read-only read-write default'),
    ...named('valid invalid user-valid user-invalid in-range out-of-range placeholder-shown autofill'),
    ...named('any-link link visited target target-within hover active focus focus-within focus-visible'),
    ...named('defined open modal popover-open fullscreen picture-in-picture host'),
    ...named('playing paused muted seeking buffering stalled volume-locked'),
    ...named('visible'),
  ]),
  functions: new Map([
    ...taking('nth', 'nth-child nth-last-child nth-of-type nth-last-of-type'),
    ...taking('selectors', 'not is where light host host-context -webkit-any'),
    ...taking('relative selectors', 'has'),
    ...taking('name', 'lang dir state'),
    ...taking('strings', 'has-text text text-is text-matches'),
    ...taking('selectors and numbers', 'nth-match left-of right-of above below near'),
  ]),
  unsupported: new Map(),
  leadingCombinator: { atStart: true, inHas: true },
  looseValues: false,
  namespaces: false,
  nthOf: true,
  maxDepth: 10,
};
