import { isFeed, isJsonFeed } from '../extraction/sources/feed.ts';
import { type SourceKind, sourceAsHtml } from '../extraction/sources/source.ts';
import { type Declaring, decodeDocument } from './charset.ts';
import { isDownload, isUnsupported, namedType, typeOfDocument } from './content-type.ts';
import type { ResponseHead } from './response-head.ts';

/** A document that came by plain HTTP. */
export interface ReadableDocument {
  /** Whether there is more in it than what is written: a page, entries of a feed. */
  kind: 'html' | 'feed' | 'text';
  sourceKind: SourceKind;
  /** As it came, decoded. */
  source: string;
  charset: string;
  /** As HTML to read; made when it is asked for. */
  readonly html: string;
}

/** Whether its head promises something to read: a film need not come at all. */
export function isReadable({ contentType, headers, status }: ResponseHead): boolean {
  if (isDownload(headers['content-disposition']) || isUnsupported(contentType)) return false;
  const type = namedType(contentType);
  // What says nothing of itself shows it, see `typeOfDocument`.
  return type === null || status === 204 || TEXTUAL.test(type);
}

/** Null for bytes that are no text after all. */
export function documentOf(response: ResponseHead & { body: Buffer }): ReadableDocument | null {
  const { body, contentType, url } = response;
  const type = typeOfDocument(body, response);
  if (isUnsupported(type) || !TEXTUAL.test(type)) return null;
  const declaring: Declaring = HTML.test(type) ? 'html' : XML.test(type) ? 'xml' : 'text';
  const { text: source, charset } = decodeDocument(body, contentType, url, declaring);
  const sourceKind = sourceKindOf(type, source);
  return {
    kind: sourceKind === 'html' ? 'html' : sourceKind.endsWith('feed') ? 'feed' : 'text',
    ...{ sourceKind, source, charset },
    get html() {
      return sourceAsHtml(source, sourceKind, url);
    },
  };
}

/** @param type of the document, not as its server calls it */
export function sourceKindOf(type: string, source: string): SourceKind {
  // Servers call feeds HTML, and pages XML because they are XHTML.
  if (HTML.test(type)) return isFeed(source) ? 'feed' : 'html';
  if (XML.test(type)) return isFeed(source) ? 'feed' : XHTML.test(source.slice(0, 4000)) ? 'html' : 'xml';
  if (JSON_TYPE.test(type)) return isJsonFeed(source) ? 'json_feed' : 'json';
  return MARKDOWN.test(type) ? 'markdown' : 'text';
}

const HTML = /^(text\/html|application\/xhtml\+xml|application\/vnd\.wap\.xhtml\+xml)$/;
const JSON_TYPE = /[/+]json$|^application\/(x-)?ndjson$/;
const XML = /[/+]xml$/;
const MARKDOWN = /^(text|application)\/(x-)?(markdown|md|gfm)$/;
const TEXTUAL =
  /^text\/|[/+](json|xml|yaml)$|^application\/(x-)?(ndjson|javascript|ecmascript|yaml|toml|sql|sh|graphql|markdown|json5|jsonlines|typescript|x-httpd-php)$/;
const XHTML = /^\s*(<\?xml[^>]*\?>\s*)?(<!--[\s\S]{0,2000}?-->\s*)?(<!doctype html[^>]*>\s*)?<html[\s>]/i;
