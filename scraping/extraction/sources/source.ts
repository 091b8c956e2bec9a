import { escapeHtml } from '../../../core/escape-html.ts';
import { feedAsHtml, jsonFeedAsHtml } from './feed.ts';
import { spreadJson } from './json.ts';
import { markdownAsHtml } from './markdown.ts';

/** Kind of a document. */
export type SourceKind = 'html' | 'feed' | 'json_feed' | 'markdown' | 'json' | 'xml' | 'text';

/** The document as an HTML page. */
export function sourceAsHtml(source: string, kind: SourceKind, url: string): string {
  switch (kind) {
    case 'html':
      return source;
    case 'feed':
      return feedAsHtml(source, url) ?? asCode(source, 'xml');
    case 'json_feed':
      return jsonFeedAsHtml(source) ?? asCode(spreadJson(source), 'json');
    case 'markdown':
      return markdownAsHtml(source);
    case 'json':
      return asCode(spreadJson(source), 'json');
    case 'xml':
      return asCode(source, 'xml');
    case 'text':
      return asCode(source, null);
    default:
      return kind satisfies never;
  }
}

/** Text formats as written, so that they do not pass through HTML. Null for pages and feeds. */
export function sourceAsWritten(
  source: string,
  kind: SourceKind,
): { markdown: string; text?: string } | null {
  if (kind === 'html' || kind === 'feed' || kind === 'json_feed') return null;
  const lines = source.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  if (kind === 'markdown') return { markdown: lines.trim() };
  const text = (kind === 'json' ? spreadJson(lines) : lines).replace(/^\n+|\s+$/g, '');
  return { markdown: fenced(text, kind === 'text' ? '' : kind), text };
}

function fenced(text: string, language: string): string {
  if (text === '') return '';
  let longest = 0;
  for (const [run] of text.matchAll(/`{3,}/g)) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

const asCode = (text: string, language: string | null): string =>
  `<!DOCTYPE html><html><head></head><body><pre${language ? ` class="language-${language}"` : ''}>${language ? `<code class="language-${language}">` : ''}${escapeHtml(text)}${language ? '</code>' : ''}</pre></body></html>`;
