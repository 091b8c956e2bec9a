import { createDocument } from '@mixmark-io/domino';
import { HtmlRenderer, Parser } from 'commonmark';
import { parseUrl } from '../../../core/parse-url.ts';
import { readCorpusFile } from '../corpus.ts';
import type { Part } from '../part.ts';
import { share } from '../scores.ts';

const FILE = 'commonmark-spec.txt';
const URL = 'https://example.com/dir/page.html';

/**
 * CommonMark's own examples: HTML to Markdown and back by CommonMark's renderer should give the
 * same HTML. What Markdown of a page cannot express is not compared: URLs are absolute, raw HTML
 * without content (scripts, comments, unknown elements) is unwrapped, and white space counts only
 * in code.
 */
export const commonmarkPart: Part = {
  name: 'commonmark',
  needs: FILE,
  async measure({ options, readers, detail }) {
    const spec = (await readCorpusFile(options.corpus, FILE)).toString('utf8');
    const [reader] = readers;
    if (!reader) return [];
    const render = (markdown: string) => new HtmlRenderer().render(new Parser().parse(markdown));
    const results: boolean[] = [];
    for (const { number, html } of parseExamples(spec)) {
      const page = { url: URL, html: `<!doctype html><body>${html}</body>` };
      const { markdown = '' } = await reader.read(page, ['markdown'], { mainContent: false });
      const [before, after] = [canonical(html), canonical(render(markdown))];
      results.push(before === after);
      if (before !== after) detail({ part: 'commonmark', number, html, markdown, before, after });
    }
    return [
      {
        name: 'examples the same after a round trip',
        figure: share(results, Boolean),
        target: { atLeast: 0.95 },
        note: `of ${results.length}`,
      },
    ];
  },
};

/** The HTML of each example; an arrow stands for a tab. */
function parseExamples(spec: string): { number: number; html: string }[] {
  const found = spec.matchAll(/^`{32} example\n([\s\S]*?)^\.\n([\s\S]*?)^`{32}$/gm);
  return Array.from(found, ([, , html = ''], at) => ({ number: at + 1, html: html.replaceAll('→', '\t') }));
}

const COMPARED = new Set(
  'P A EM STRONG CODE PRE UL OL LI H1 H2 H3 H4 H5 H6 HR BR IMG BLOCKQUOTE TABLE TR TD TH'.split(' '),
);
const BLOCKS = /^(P|DIV|PRE|UL|OL|LI|H[1-6]|HR|BLOCKQUOTE|TABLE|TR|TD|TH)$/;

/** A canonical spelling for equivalent HTML. */
function canonical(html: string): string {
  const document = createDocument(`<!doctype html><body>${html}</body>`, true);
  const write = (node: Node, inPre: boolean): string => {
    if (node.nodeType === 3)
      return inPre ? (node.nodeValue ?? '') : (node.nodeValue ?? '').replace(/\s+/g, ' ');
    if (node.nodeType !== 1) return '';
    const element = node as Element;
    const { tagName } = element;
    if (/^(SCRIPT|STYLE|TEXTAREA|TITLE)$/.test(tagName)) return '';
    const inner = Array.from(element.childNodes, (child) => write(child, inPre || tagName === 'PRE')).join(
      '',
    );
    const isBlock = BLOCKS.test(tagName);
    // Empty elements render nothing.
    if (inner.trim() === '' && !/^(IMG|BR|HR)$/.test(tagName)) return inner;
    if (!COMPARED.has(tagName)) return isBlock ? `\n${inner.trim()}\n` : inner;
    // Text outside a paragraph equals a paragraph, and so does an item's only paragraph.
    const name = tagName.toLowerCase();
    const content = tagName === 'PRE' ? inner.trimEnd() : isBlock ? inner.trim() : inner;
    if (tagName === 'P') return content === '' ? '' : `\n${content}\n`;
    const tag = `<${name}${serializeAttributes(element)}>${content}</${name}>`;
    return isBlock ? `\n${tag}\n` : tag;
  };
  return write(document.body, false)
    .replace(/ *\n\s*/g, '\n')
    .replace(/ *<br><\/br> */g, '<br></br>')
    .trim();
}

function serializeAttributes(element: Element): string {
  return ['href', 'src', 'alt', 'title', 'start', 'class']
    .map((name) => {
      const value = element.getAttribute(name);
      if (value === null || (value === '' && name !== 'href')) return '';
      return ` ${name}="${name === 'href' || name === 'src' ? address(value) : value}"`;
    })
    .join('');
}

const address = (value: string) => parseUrl(value, URL)?.href ?? value;
