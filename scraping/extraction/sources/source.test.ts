import { extract } from '../extract.ts';
import { spreadJson } from './json.ts';
import type { SourceKind } from './source.ts';

const read = (html: string, kind: SourceKind) =>
  extract({
    ...{ html, kind, url: 'https://a.example/dir/page', title: null, charset: 'UTF-8', mainContent: true },
    formats: ['markdown', 'text', 'links', 'html', 'raw_html'],
  });

describe('JSON', () => {
  it('is indented with every value as written', () => {
    const json =
      '{"id":1234567890123456789,"price":10.00,"huge":1e400,"b":-0,"a":"\\u00e9\\/ \\"x\\": [","a":[[],{},[1,true,null]]}';
    expect(spreadJson(json)).toBe(`{
  "id": 1234567890123456789,
  "price": 10.00,
  "huge": 1e400,
  "b": -0,
  "a": "\\u00e9\\/ \\"x\\": [",
  "a": [
    [],
    {},
    [
      1,
      true,
      null
    ]
  ]
}`);
  });

  it.each([
    '{"name": "lock", "depth": 2}',
    '{"a":',
    '{"a":1}\n{"a":2}',
    '"text"',
    '12',
    '',
    'null',
    "{'a':1}",
  ])('is unchanged if it has line breaks or is invalid: %s', (json) => {
    expect(spreadJson(json)).toBe(json);
  });

  it('grows by a bounded factor', () => {
    for (const depth of [1000, 100_000]) {
      const nested = '['.repeat(depth) + ']'.repeat(depth);
      expect(spreadJson(nested)).toBe(nested);
      const objects = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
      expect(spreadJson(objects).length).toBeLessThanOrEqual(4 * objects.length + 1000);
    }
  });

  it('may have strings of any length', () => {
    const text = '\\n'.repeat(600_000);
    expect(spreadJson(`["${text}"]`)).toBe(`[\n  "${text}"\n]`);
    const long = JSON.stringify({ a: 'x'.repeat(3_000_000) });
    expect(spreadJson(long)).toBe(long);
  });

  it('is Markdown in a fenced code block, whatever it contains', () => {
    const { markdown, text, raw_html } = read('{"a":"```","b":1.0}', 'json');
    expect(text).toBe('{\n  "a": "```",\n  "b": 1.0\n}');
    expect(markdown).toBe(`\`\`\`\`json\n${text}\n\`\`\`\``);
    expect(raw_html).toBe('{"a":"```","b":1.0}');
  });
});

describe('text', () => {
  it('keeps its lines and spaces', () => {
    const source = 'one  \n\n\n\n  two\ttabs\r\nthree <b>\n';
    expect(read(source, 'text')).toMatchObject({
      text: 'one  \n\n\n\n  two\ttabs\nthree <b>',
      markdown: '```\none  \n\n\n\n  two\ttabs\nthree <b>\n```',
      title: '',
      links: [],
    });
    expect(read('', 'text')).toMatchObject({ text: '', markdown: '' });
  });
});

describe('Markdown', () => {
  it('is returned as written, with its links and its first heading as title', () => {
    const source =
      'Intro\n\n## The `lock` & *gate*\n\n[a](../up "t"), <https://b.example/x>, https://c.example/y\n\n| a | b |\n| - | - |\n| 1 | 2 |\n';
    const page = read(source, 'markdown');
    expect(page).toMatchObject({ markdown: source.trim(), title: 'The lock & gate' });
    expect(page.links?.map(({ url }) => url)).toEqual([
      'https://a.example/up',
      'https://b.example/x',
      'https://c.example/y',
    ]);
    expect(page.text).toContain('1\t2');
    expect(page.html).toContain('<table>');
  });

  it.each([
    ['---\ntitle: "Gates: of oak"\nlayout: x\n---\nText', 'Gates: of oak'],
    ['---\r\ntitle: Gates\r\n---\r\n# Weirs\r\nText', 'Weirs'],
    ['Setext\n===\n\n# Second', 'Setext'],
    ['> # Quoted\n\nText', ''],
    ['---\nno end', ''],
    ['---\n\n# Between rules\n\n---\n\n# Behind', 'Between rules'],
    ['No heading', ''],
  ])('%j has the title %j', (source, title) => {
    expect(read(source, 'markdown').title).toBe(title);
  });

  it('with any nesting is read', () => {
    for (const piece of ['- ', '> ', '[', '![', '*a _b', '<a ', '`']) {
      expect(typeof read(piece.repeat(5000), 'markdown').markdown).toBe('string');
    }
  });
});
