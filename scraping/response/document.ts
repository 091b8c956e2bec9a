import { isFeed, isJsonFeed } from '../extraction/sources/feed.ts';
import { type SourceKind, sourceAsHtml } from '../extraction/sources/source.ts';
import { type Declaring, decodeDocument } from './charset.ts';
import { isDownload, isUnsupported, namedType, typeOfDocument } from './content-type.ts';
import type { ResponseHead } from './response-head.ts';

/** A document fetched by plain HTTP. */
export interface ReadableDocument {
  /** A page, the entries of a feed, or plain text. */
  kind: 'html' | 'feed' | 'text';
  sourceKind: SourceKind;
  /** The body, decoded. */
  source: string;
  charset: string;
  /** Converted to HTML, lazily. */
  readonly html: string;
}

/** Whether the head suggests readable content: a video is not downloaded. */
export function isReadable({ contentType, headers, status }: ResponseHead): boolean {
  if (isDownload(headers['content-disposition']) || isUnsupported(contentType)) return false;
  const type = namedType(contentType);
  // Without a type the body is sniffed, see `typeOfDocument`.
  return type === null || status === 204 || TEXTUAL.test(type);
}

/** Null if the body is not text. */
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

/** @param type from `typeOfDocument`, not from the header alone */
export function sourceKindOf(type: string, source: string): SourceKind {
  // Servers label feeds as HTML, and XHTML pages as XML.
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
