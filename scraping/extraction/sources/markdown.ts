import MarkdownIt from 'markdown-it';
import { escapeHtml } from '../../../core/escape-html.ts';

/** Markdown as an HTML page: links are links, and the first top-level heading is the title. */
export function markdownAsHtml(source: string): string {
  const { matter, text } = withoutFrontMatter(source);
  const tokens = renderer.parse(text, {});
  const heading = tokens.findIndex(({ type, level }) => type === 'heading_open' && level === 0);
  const title = inlineText(tokens[heading + 1]) || titleInMatter(matter);
  const body = renderer.renderer.render(tokens, renderer.options, {});
  return `<!DOCTYPE html><html><head><title>${escapeHtml(title)}</title></head><body><main>${body}</main></body></html>`;
}

/** Linear in the length of the input; other libraries are quadratic in nested lists. */
const renderer = new MarkdownIt({ html: true, linkify: true });

/** Splits off front matter (between two `---` lines), which Markdown would read as a heading. */
function withoutFrontMatter(source: string): { matter: string; text: string } {
  const opening = /^\ufeff?---[ \t]*\r?\n/.exec(source);
  if (!opening) return { matter: '', text: source };
  const rest = source.slice(opening[0].length);
  const closing = /^(---|\.\.\.)[ \t]*$/m.exec(rest.replace(/\r/g, ' '));
  const isMatter = closing !== null && /^\s*[\w"'-]+[ \t]*:/.test(rest.slice(0, closing.index));
  if (!isMatter) return { matter: '', text: source };
  return { matter: rest.slice(0, closing.index), text: rest.slice(closing.index + closing[0].length) };
}

const titleInMatter = (matter: string): string =>
  /^title:[ \t]*(\S.*)$/m
    .exec(matter)?.[1]
    ?.trim()
    .replace(/^(["'])(.*)\1$/, '$2') ?? '';

interface Inline {
  type: string;
  content: string;
  children: Inline[] | null;
}

const inlineText = (token: Inline | undefined): string =>
  (token?.children ?? [])
    .map(({ type, content }) =>
      type === 'text' || type === 'code_inline' ? content : type.endsWith('break') ? ' ' : '',
    )
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
