import { actionSelectorProblem } from './action-selector.ts';
import { parseExtractSelector } from './extract-selector.ts';

const textOf = (selector: string) => {
  const parsed = parseExtractSelector(selector);
  return parsed.kind === 'selector' ? parsed.text : null;
};
const problemOf = (selector: string) => {
  const parsed = parseExtractSelector(selector);
  return parsed.kind === 'wrong' ? parsed.problem : null;
};

describe('a selector of extract', () => {
  test.each([
    ...['h1', '*', '#main', '.a.b', 'a > b', 'a + b ~ c', 'a[href]', 'a[href$=".pdf"]', "[a='b']", '[a="]"]'],
    ...[
      'li:nth-child(2n+1)',
      ':not(.a)',
      'a:has(img)',
      'h1, h2',
      '.a\\:b',
      '\\31 a',
      '.ü',
      '#日本',
      ':scope',
    ],
    ...[
      'a:contains("x (y)")',
      'a:contains(x)',
      ':not(:is(a:not(.b)))',
      'p:lang(de)',
      '--a',
      '[xlink\\:href]',
    ],
  ])('%s is one', (selector) => {
    expect(textOf(selector)).toBe(selector);
  });

  test.each([
    ['a\n>\tb', 'a > b'],
    ['a/* the link */b', 'a b'],
    ['[ data-id = 123 ]', '[data-id="123"]'],
    ['[a=b i]', '[a="b" i]'],
    ['[a="b" s]', '[a="b"]'],
    ['*|a', 'a'],
    ['A:Where(.x,.y)', 'A:is(.x, .y)'],
    ['a:link', 'a:any-link'],
    ['[a=":where(b)"]', '[a=":where(b)"]'],
    ['li:nth-child( 2N + 1 )', 'li:nth-child(2n+1)'],
  ])('%j is run as %s', (selector, text) => {
    expect(textOf(selector)).toBe(text);
  });

  test.each([
    ['div[', 'expected the name of an attribute (its end)'],
    ['a >', 'expected an element, such as a, .class, #id or [attribute] (its end)'],
    ['> a', 'expected an element before > (character 1)'],
    ['a,,b', 'expected an element, such as a, .class, #id or [attribute] (character 3)'],
    ['##', 'expected an id (character 2)'],
    [
      '#1a',
      'expected an id, which does not begin with a digit: write \\31 with a blank after it (character 2)',
    ],
    ['a:fist-child', 'there is no pseudo-class :fist-child, did you mean :first-child? (character 2)'],
    ['li:eq(0)', ":eq is jQuery's and not CSS (character 3)"],
    ['li:nth-child', 'expected :nth-child(…) with an argument (character 3)'],
    ['li:root(1)', ':root takes no argument (character 3)'],
    ['li:nth-child(x)', 'expected a number, even, odd or a formula such as 2n+1 (character 14)'],
    ['a:not(', 'expected an element, such as a, .class, #id or [attribute] (its end)'],
    ['a:not(b', 'expected ) to end :not( (its end)'],
    ['a::text', 'the pseudo-element text is no element of the page (character 2)'],
    ['[a="b]', 'the quote does not end (character 4)'],
    ['//div', 'unexpected "/" (character 1)'],
    ['p{', 'unexpected "{" (character 2)'],
    ['svg|a', 'expected no namespace (character 4)'],
    ['\\ffffff', 'there is no character \\ffffff (its end)'],
    ['-', 'expected a tag name (its end)'],
  ])('%j is none', (selector, problem) => {
    expect(problemOf(selector)).toBe(problem);
  });

  test.each([
    '',
    ' ',
    ',',
    '.',
    'a..b',
    'a:',
    'a[]',
    'a[b~c]',
    'a]',
    'a)',
    '()',
    'a & b',
    'css=a',
    'a:hover',
    'a:has(> b)',
  ])('%j is none either', (selector) => {
    expect(problemOf(selector)).not.toBeNull();
  });
});

describe('a selector of an action', () => {
  test.each([
    ...[
      'a',
      '> a',
      'a:has(> img)',
      'li:nth-child(2 of .a)',
      'a:hover',
      'a:visible',
      'a:has-text("x")',
      'a >> b',
    ],
    ...[
      'a >> nth=0',
      'a >> text=x >> css=b',
      'a >> //b',
      '[a=">>"]',
      'a:right-of(b, 5)',
      ':nth-match(a, b, 2)',
    ],
  ])('%s is one', (selector) => {
    expect(actionSelectorProblem(selector)).toBeNull();
  });

  test.each([
    ['//a', 'XPath is not supported: expected a CSS selector'],
    ['xpath=//a', 'XPath is not supported: expected a CSS selector'],
    ['a >> foo=1', 'there is no selector engine foo after >>'],
    ['a >> b[', 'expected the name of an attribute (its end)'],
    ['[data-id=123]', 'expected a value in quotes (character 10)'],
    ['a:contains(x)', 'there is no pseudo-class :contains (character 2)'],
    ['a:has-text(x)', 'expected text in quotes (character 12)'],
    ['text=x', 'unexpected "=" (character 5)'],
  ])('%j is none', (selector, problem) => {
    expect(actionSelectorProblem(selector)).toBe(problem);
  });
});
