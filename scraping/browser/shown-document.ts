import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { SourceKind } from '../extraction/sources/source.ts';
import type { Deadline } from '../fetching/deadline.ts';
import { isUnsupported, namedType } from '../response/content-type.ts';
import { sourceKindOf } from '../response/document.ts';
import type { DocumentWatch } from './document-watch.ts';
import type { DomSnapshot } from './dom-snapshot.ts';

export interface Readable {
  html: string;
  kind: SourceKind;
  /** Null: the document's own is to be read from it. */
  title: string | null;
}

/**
 * What is to be read of a document the browser shows: it as drawn; but what the browser only shows as text, or in a viewer of its own,
 * as it came. It is then the same as by plain HTTP.
 *
 * @throws PageFailure for what is no document: a picture, or bytes that the server calls a page
 */
export async function chooseReadable(
  snapshot: DomSnapshot,
  drawn: string,
  watch: DocumentWatch,
  deadline: Deadline,
): Promise<Readable> {
  const asDrawn: Readable = { html: drawn, kind: 'html', title: snapshot.title };
  if (!/^https?:/.test(snapshot.url)) return asDrawn;
  // It calls all text it shows plain.
  const shown = snapshot.contentType === 'text/plain' ? namedType(watch.answer?.contentType) : null;
  const type = shown ?? snapshot.contentType;
  if (isUnsupported(type)) throw new PageFailure('unsupported_content');
  const isHtml = type === 'text/html';
  if (isHtml) assertText(drawn);
  if (isHtml && !FEED_AS_HTML.test(drawn.slice(0, 500))) return asDrawn;

  const source = await deadline.race(watch.source());
  if (source === null) return asDrawn;
  const kind = sourceKindOf(type, source);
  if (kind !== 'html') return { html: source, kind, title: null };
  // XHTML that is not well-formed, or that does not say it is XHTML, is a tree or an error to the browser.
  const isPage = !/<parsererror[\s>]|id="xml-viewer-style"/.test(drawn);
  return isPage ? asDrawn : { html: source, kind, title: null };
}

/** A feed that its server calls HTML. */
const FEED_AS_HTML = /<body>\s*<(rss|rdf:rdf|([\w-]+:)?feed)[\s>]/i;

/** Bytes that the server calls HTML and that are none: packed, without the browser knowing how, or a file. */
function assertText(drawn: string): void {
  const beginning = /^(?:<!doctype[^>]*>)?\s*<html><head><\/head><body>([^<]{1,64})/i.exec(
    drawn.slice(0, 200),
  )?.[1];
  if (beginning === undefined) return;
  if (beginning.startsWith('\x1f'))
    throw new PageFailure('connection_failed', 'the answer is not in the encoding it claims');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no text has them
  if (/^%PDF-|[\x01-\x08\x0e-\x1a\x1c-\x1f]/.test(beginning)) throw new PageFailure('unsupported_content');
}
