import { parsePage } from './document/dom.ts';
import { extractFields, type FieldsWanted } from './fields.ts';
import { numberIn } from './values/number.ts';

const PAGE = `<base href="/shop/"><main>
  <article class="item" data-id="7"><h2>Windlass <small>steel</small></h2><a href="7">more</a><span class="price">€ 1.234,50</span>
    <ul><li>red</li><li>blue</li></ul><time datetime="2024-05-03">3 May</time><i class="stock">no</i></article>
  <article class="item"><h2>Rope</h2><a href="8">more</a><span class="price">on request</span><b class="new">New</b></article>
</main>`;

const read = (fields: FieldsWanted, html = PAGE) => {
  let result = { extracted: {} as Record<string, unknown>, badFields: [] as string[] };
  parsePage(html, 'https://site.example/dir/', {
    beforeResolve: (document, base) => {
      result = extractFields(document, base, fields);
    },
  });
  return result;
};
const value = (field: FieldsWanted[string]) => read({ field }).extracted.field;

describe('a field', () => {
  it.each<[string, FieldsWanted[string], unknown]>([
    ['a selector alone', 'h2', 'Windlass steel'],
    ['a missing element', '.nothing', null],
    ['a list', { selector: 'h2', many: true }, ['Windlass steel', 'Rope']],
    ['a list without matches', { selector: '.nothing', many: true }, []],
    ['an attribute', { selector: 'article', attribute: 'data-id' }, '7'],
    ['an attribute with a URL', { selector: 'a', attribute: 'href' }, 'https://site.example/shop/7'],
    ['HTML', { selector: 'h2', type: 'html' }, 'Windlass <small>steel</small>'],
    ['a number', { selector: '.price', type: 'number' }, 1234.5],
    ['a whole number', { selector: '.price', type: 'integer' }, 1234],
    ['a list of the numbers found', { selector: '.price', type: 'number', many: true }, [1234.5]],
    ['true', { selector: '.new', type: 'boolean' }, true],
    ['false by its text', { selector: '.stock', type: 'boolean' }, false],
    ['false by absence', { selector: '.nothing', type: 'boolean' }, false],
    ['a date', { selector: 'time', type: 'date' }, '2024-05-03'],
    ['null for text that is no date', { selector: 'h2', type: 'date' }, null],
    ['a URL', { selector: 'a', type: 'url' }, 'https://site.example/shop/7'],
    ['newer selectors', 'article:has(.new) :where(h2)', 'Rope'],
  ])('gives %s', (_name, field, expected) => {
    expect(value(field)).toEqual(expected);
  });

  it('with nested fields is an object, or a list of objects', () => {
    const fields = {
      name: 'h2',
      id: { selector: ':scope', attribute: 'data-id' },
      colours: { selector: 'li', many: true },
      price: { selector: '.price', type: 'number' as const },
    };
    expect(value({ selector: '.item', many: true, fields })).toEqual([
      { name: 'Windlass steel', id: '7', colours: ['red', 'blue'], price: 1234.5 },
      { name: 'Rope', id: null, colours: [], price: null },
    ]);
    expect(value({ selector: '.item:nth-child(2)', fields: { name: 'h2' } })).toEqual({ name: 'Rope' });
    expect(value({ selector: '.nothing', fields: { name: 'h2' } })).toBeNull();
  });

  it('with an invalid selector is reported by its path, and the others are extracted', () => {
    expect(
      read({ good: 'h2', bad: 'p[[', items: { selector: '.item', fields: { name: 'h2', worse: '>>' } } }),
    ).toEqual({
      extracted: { good: 'Windlass steel', bad: null, items: { name: 'Windlass steel', worse: null } },
      badFields: ['bad', 'items.worse'],
    });
  });
});

it.each([
  ['1,234', 1234],
  ['1,5 kg', 1.5],
  ['1.234.567', 1234567],
  ["CHF 1'234.50", 1234.5],
  ['12 345,6 kr', 12345.6],
  ['-3', -3],
  ['about 20–30', 20],
  ['none', null],
])('the number in %s is %p', (text, expected) => {
  expect(numberIn(text)).toBe(expected);
});

describe('the notation of a page', () => {
  const field = (html: string, type: 'number' | 'integer' | 'date', rule = {}) =>
    read({ field: { selector: 'b', type, ...rule } }, html).extracted.field;

  it('is that of its language, or of the element', () => {
    expect(field('<html lang="de"><b>1.299</b>', 'number')).toBe(1299);
    expect(field('<html lang="en"><b>1.299</b>', 'number')).toBe(1.299);
    expect(field('<html lang="en"><p lang="de"><b>1.299</b>', 'number')).toBe(1299);
    expect(field('<html lang="de"><b>04.03.2026, 10:30 Uhr</b>', 'date')).toBe('2026-03-04T10:30:00');
    expect(field('<html lang="pl"><b>4 listopada 2026</b>', 'date')).toBe('2026-11-04');
    expect(field('<html lang="en-US"><b>03/04/2026</b>', 'date')).toBe('2026-03-04');
  });

  it('is decided by the other dates of the page', () => {
    expect(field('<html lang="en"><b>03/04/2026</b><i>25/03/2026</i>', 'date')).toBe('2026-04-03');
    expect(field('<html lang="en"><b>03/04/2026</b><i>1/2/2026</i>', 'date')).toBeNull();
  });

  it('does not matter for attributes that programs read', () => {
    const html = '<html lang="de"><b content="1.299" title="1.299">x</b>';
    expect(field(html, 'number', { attribute: 'content' })).toBe(1.299);
    expect(field(html, 'number', { attribute: 'title' })).toBe(1299);
  });

  it('keeps all digits', () => {
    expect(field('<b>1234567890123456789</b>', 'number')).toBe('1234567890123456789');
    expect(field('<b>1234567890123456789,5</b>', 'integer')).toBe('1234567890123456789');
  });
});
