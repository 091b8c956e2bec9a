import { isDownload, isUnsupported } from '../fetching/content-type.ts';
import { decodeDocument } from './charset.ts';
import type { HttpResponse, ResponseHead } from './client.ts';
import { feedAsHtml } from './feed.ts';

/** A document that came by plain HTTP, as HTML to read. */
export interface ReadableDocument {
  kind: 'html' | 'feed' | 'text';
  html: string;
  /** As it came, for `raw_html`. */
  source: string;
  charset: string;
}

/** Whether its head promises something to read: a film need not come at all. */
export function isReadable({ contentType, headers, status }: ResponseHead): boolean {
  if (isDownload(headers['content-disposition']) || isUnsupported(contentType)) return false;
  const type = mimeType(contentType);
  // What says nothing of itself shows it, see `documentOf`.
  return type === '' || status === 204 || TEXTUAL.test(type);
}

/** Null for bytes that are no text after all. */
export function documentOf({ body, contentType, url }: HttpResponse): ReadableDocument | null {
  const type = mimeType(contentType) || guessedType(body);
  if (type === null) return null;
  const { text: source, charset } = decodeDocument(body, contentType, url);
  if (HTML.test(type)) return { kind: 'html', html: source, source, charset };
  if (JSON_TYPE.test(type)) return { kind: 'text', html: asCode(pretty(source), 'json'), source, charset };
  if (XML.test(type)) {
    // Many an old server calls its pages XML because they are XHTML.
    if (
      /^\s*(<\?xml[^>]*\?>\s*)?(<!--[\s\S]{0,2000}?-->\s*)?(<!doctype html[^>]*>\s*)?<html[\s>]/i.test(
        source.slice(0, 4000),
      )
    )
      return { kind: 'html', html: source, source, charset };
    const feed = feedAsHtml(source);
    return feed
      ? { kind: 'feed', html: feed, source, charset }
      : { kind: 'text', html: asCode(source, 'xml'), source, charset };
  }
  return { kind: 'text', html: asCode(source, null), source, charset };
}

const HTML = /^(text\/html|application\/xhtml\+xml|application\/vnd\.wap\.xhtml\+xml)$/;
const JSON_TYPE = /[/+]json$|^application\/(x-)?ndjson$|^text\/json$/;
const XML = /[/+]xml$/;
const TEXTUAL =
  /^text\/|[/+](json|xml|yaml)$|^application\/(x-)?(ndjson|javascript|ecmascript|yaml|toml|sql|sh|graphql)$|^application\/vnd\.wap\.xhtml\+xml$/;

const mimeType = (contentType: string | null): string =>
  (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** For a server that names no type: as a browser sniffs it. */
function guessedType(body: Buffer): string | null {
  if (body.length === 0) return 'text/html';
  const beginning = body.subarray(0, 1445);
  const text = beginning
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  if (
    /^<(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[\s>-]/i.test(
      text,
    )
  )
    return 'text/html';
  if (text.startsWith('<?xml')) return 'text/xml';
  const isUtf16 = /^(\xfe\xff|\xff\xfe)/.test(text);
  return !isUtf16 &&
    beginning.some((byte) => byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32))
    ? null
    : 'text/plain';
}

const asCode = (text: string, language: string | null): string =>
  `<!DOCTYPE html><html><head></head><body><pre${language ? ` class="language-${language}"` : ''}>${language ? `<code class="language-${language}">` : ''}${escapeHtml(text)}${language ? '</code>' : ''}</pre></body></html>`;

const escapeHtml = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character] ?? character);

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    // Lines of it, or something that only claims to be.
    return json;
  }
}
