import { parseUrl } from '../../core/parse-url.ts';
import type { FileSource } from '../extraction/files/read-file.ts';
import { isFeed, isJsonFeed } from '../extraction/sources/feed.ts';
import { type SourceKind, sourceAsHtml } from '../extraction/sources/source.ts';
import { type Declaring, decodeDocument } from './charset.ts';
import { isUnsupported, typeOfDocument } from './content-type.ts';
import { delimiterOf, fileIn, isUnreadable, textTypeByName } from './file-document.ts';
import type { ResponseHead } from './response-head.ts';

/** A document fetched by plain HTTP. */
export type ReadableDocument = TextDocument | FileDocument;

/** A PDF, an office document, a table or a picture. */
export interface FileDocument {
  kind: 'file';
  file: FileSource;
  charset: string;
}

export interface TextDocument {
  /** A page, the entries of a feed, or plain text. */
  kind: 'html' | 'feed' | 'text';
  sourceKind: SourceKind;
  /** The body, decoded. */
  source: string;
  charset: string;
  /** Converted to HTML, lazily. */
  readonly html: string;
}

/**
 * Whether the head suggests readable content: a video is not downloaded. Types are often wrong, so
 * the content decides about the rest.
 */
export const isReadable = ({ contentType }: ResponseHead): boolean => !isUnreadable(contentType);

/** Null if the body is neither text nor a file of a known kind. */
export function documentOf(response: ResponseHead & { body: Buffer }): ReadableDocument | null {
  const { body, contentType, url } = response;
  const sniffed = typeOfDocument(body, response);
  const kind = fileIn(body, sniffed);
  if (kind) return { kind: 'file', file: { kind, bytes: body, url }, charset: '' };
  const type = textTypeByName(body, sniffed, response) ?? sniffed;
  const delimiter = delimiterOf(type, response);
  if (delimiter !== undefined) {
    const { text, charset } = decodeDocument(body, contentType, url, 'text');
    return {
      kind: 'file',
      file: { kind: 'delimited', text, url, delimiter: delimiter ?? undefined },
      charset,
    };
  }
  if (isUnsupported(type) || !TEXTUAL.test(type)) return null;
  const declaring: Declaring = HTML.test(type) ? 'html' : XML.test(type) ? 'xml' : 'text';
  const { text: source, charset } = decodeDocument(body, contentType, url, declaring);
  const sourceKind = sourceKindOf(type, source, url);
  return {
    kind: sourceKind === 'html' ? 'html' : sourceKind.endsWith('feed') ? 'feed' : 'text',
    ...{ sourceKind, source, charset },
    get html() {
      return sourceAsHtml(source, sourceKind, url);
    },
  };
}

/** @param type from `typeOfDocument`, not from the header alone */
export function sourceKindOf(type: string, source: string, url: string): SourceKind {
  // Servers label feeds as HTML, and XHTML pages as XML.
  if (HTML.test(type)) return isFeed(source) ? 'feed' : 'html';
  if (XML.test(type)) return isFeed(source) ? 'feed' : XHTML.test(source.slice(0, 4000)) ? 'html' : 'xml';
  if (JSON_TYPE.test(type)) return isJsonFeed(source) ? 'json_feed' : 'json';
  const isNamedSo = type === 'text/plain' && MARKDOWN_NAME.test(parseUrl(url)?.pathname ?? '');
  return MARKDOWN.test(type) || isNamedSo ? 'markdown' : 'text';
}

const HTML = /^(text\/html|application\/xhtml\+xml|application\/vnd\.wap\.xhtml\+xml)$/;
const JSON_TYPE = /[/+]json$|^application\/(x-)?ndjson$/;
const XML = /[/+]xml$/;
const MARKDOWN = /^(text|application)\/(x-)?(markdown|md|gfm)$/;
/** `llms.txt` is Markdown by its definition (llmstxt.org). */
const MARKDOWN_NAME = /\.(md|markdown|mdown|mkd)$|\/llms(-full|-small)?\.txt$/i;
const TEXTUAL =
  /^text\/|[/+](json|xml|yaml)$|^application\/(x-)?(ndjson|javascript|ecmascript|yaml|toml|sql|sh|graphql|markdown|json5|jsonlines|typescript|x-httpd-php)$/;
const XHTML = /^\s*(<\?xml[^>]*\?>\s*)?(<!--[\s\S]{0,2000}?-->\s*)?(<!doctype html[^>]*>\s*)?<html[\s>]/i;
