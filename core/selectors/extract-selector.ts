import { type Dialect, named, type ParsedSelector, parseSelector, taking } from './selector-parser.ts';

/**
 * Selectors of `extract`, as the extraction runs them: with domino, for pages of both engines.
 *
 * domino compiles some wrong selectors without an error, and fails on a few right ones (line breaks,
 * blanks in brackets); it is therefore given the parsed text.
 */
export const parseExtractSelector = (selector: string): ParsedSelector => parseSelector(selector, EXTRACT);

const NEEDS_BROWSER =
  'depends on what a visitor does, and fields are read from the finished page: leave it out';

const EXTRACT: Dialect = {
  plain: new Map([
    ...named('first-child last-child only-child first-of-type last-of-type only-of-type root scope empty'),
    ...named('checked indeterminate enabled disabled required optional read-only read-write default'),
    ...named('valid invalid in-range out-of-range any-link'),
    ['link', 'any-link'],
  ]),
  functions: new Map([
    ...taking('nth', 'nth-child nth-last-child nth-of-type nth-last-of-type'),
    ...taking('selectors', 'not is'),
    // domino knows neither; the specificity in which `:where` differs does not matter here.
    ...taking('selectors', 'where matches', 'is'),
    ...taking('relative selectors', 'has'),
    ...taking('text', 'contains'),
    ...taking('names', 'lang dir'),
  ]),
  unsupported: new Map(
    'hover active focus focus-within focus-visible visited target target-within'
      .split(' ')
      .map((name) => [name, NEEDS_BROWSER]),
  ),
  leadingCombinator: { atStart: false, inHas: false },
  looseValues: true,
  namespaces: true,
  nthOf: false,
  maxDepth: 3,
};
