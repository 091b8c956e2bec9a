import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { SourceKind } from '../extraction/sources/source.ts';
import type { Deadline } from '../fetching/deadline.ts';
import { isUnsupported, namedType } from '../response/content-type.ts';
import { sourceKindOf } from '../response/document.ts';
import { delimiterOf } from '../response/file-document.ts';
import type { DocumentWatch } from './document-watch.ts';
import type { DomSnapshot } from './dom-snapshot.ts';

export interface Readable {
  html: string;
  kind: SourceKind;
  /** Null: extraction reads it from the document. */
  title: string | null;
}

/**
 * The text to extract from: the rendered HTML; but the source of documents that the browser shows
 * as plain text or in a viewer of its own. The result is then the same as by plain HTTP.
 *
 * @throws PageFailure if it is no document: an image, or binary data labelled as HTML
 */
export async function chooseReadable(
  snapshot: DomSnapshot,
  drawn: string,
  watch: DocumentWatch,
  deadline: Deadline,
): Promise<Readable> {
  const asDrawn: Readable = { html: drawn, kind: 'html', title: snapshot.title };
  if (!/^https?:/.test(snapshot.url)) return asDrawn;
  // The browser reports all text it shows as `text/plain`.
  const shown = snapshot.contentType === 'text/plain' ? namedType(watch.answer?.contentType) : null;
  const type = shown ?? snapshot.contentType;
  if (isUnsupported(type)) throw watch.notAPage();
  // A CSV is a table by plain HTTP.
  if (type !== null && delimiterOf(type, { url: snapshot.url, headers: {} }) !== undefined)
    throw watch.notAPage();
  const isHtml = type === 'text/html';
  if (isHtml) assertText(drawn, watch);
  if (isHtml && !FEED_AS_HTML.test(drawn.slice(0, 500))) return asDrawn;

  const source = await deadline.race(watch.source());
  if (source === null) return asDrawn;
  const kind = sourceKindOf(type, source, snapshot.url);
  if (kind !== 'html') return { html: source, kind, title: null };
  // Chromium renders malformed or undeclared XHTML as an error or an XML tree.
  const isPage = !/<parsererror[\s>]|id="xml-viewer-style"/.test(drawn);
  return isPage ? asDrawn : { html: source, kind, title: null };
}

/** A feed served as HTML. */
const FEED_AS_HTML = /<body>\s*<(rss|rdf:rdf|([\w-]+:)?feed)[\s>]/i;

/** Binary data served as HTML: compressed in a way the browser does not know, or a file. */
function assertText(drawn: string, watch: DocumentWatch): void {
  const beginning = /^(?:<!doctype[^>]*>)?\s*<html><head><\/head><body>([^<]{1,64})/i.exec(
    drawn.slice(0, 200),
  )?.[1];
  if (beginning === undefined) return;
  if (beginning.startsWith('\x1f'))
    throw new PageFailure('connection_failed', 'the answer is not in the encoding it claims');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no text has them
  if (/^%PDF-|[\x01-\x08\x0e-\x1a\x1c-\x1f]/.test(beginning)) throw watch.notAPage();
}
