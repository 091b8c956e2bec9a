import type { ErrorInfo } from '../../core/errors.ts';
import type { FORMATS } from '../../core/jobs/job-schemas.ts';
import type { Page } from '../../core/jobs/page.ts';
import { findDocumentContacts, toContacts } from './contacts/contacts.ts';
import { mainContent, wholeContent } from './content/main-content.ts';
import type { ContentScope } from './content/select-blocks.ts';
import { cleanLine } from './document/blanks.ts';
import { isText, parsePage, readTitle, select } from './document/dom.ts';
import type { FrameDocument } from './document/frames.ts';
import { withoutShownBoxes } from './document/shown-boxes.ts';
import { nextNode } from './document/traverse.ts';
import { extractFields, type Fields, type FieldsWanted } from './fields.ts';
import { likenessOf } from './likeness.ts';
import { toMarkdown } from './markdown/markdown.ts';
import { makeReadable } from './markdown/readable.ts';
import { toText } from './markdown/text.ts';
import { extractLinks } from './metadata/links.ts';
import { extractMetadata } from './metadata/metadata.ts';
import { titleWithout } from './metadata/title.ts';
import { hasFields, needsDocument, READS_CONTENT } from './needs-document.ts';
import { type SourceKind, sourceAsHtml, sourceAsWritten } from './sources/source.ts';
import { storable } from './storable.ts';

export type Format = (typeof FORMATS)[number];

/** A fetched page and the requested output. */
export interface ExtractInput {
  /** HTML, or the source of another `kind` of document. */
  html: string;
  /** Default `html`. */
  kind?: SourceKind;
  url: string;
  /** As the browser has it; null: read from the document. The result has it if it is another. */
  title: string | null;
  charset: string;
  formats: readonly Format[];
  /**
   * What markdown, text and html hold: the main content, all of it that may be or only what is
   * likely; true is `balanced`, false the whole page.
   */
  mainContent: boolean | ContentScope;
  /** The job's `extract`. */
  fields?: FieldsWanted;
  /** Whether the result has a `likeness`. */
  likeness?: boolean;
  /** Documents in the page's frames. */
  frames?: readonly FrameDocument[];
}

/** The requested formats; others are absent. */
export type Extracted = Pick<
  Page,
  'markdown' | 'html' | 'raw_html' | 'text' | 'links' | 'metadata' | 'contacts'
> &
  Partial<Fields> & {
    title?: string;
    likeness?: string;
    /** Of a file: why its content is missing or incomplete. */
    fault?: ErrorInfo;
    /** The page shows neither text nor pictures. */
    isEmpty?: true;
  };

/**
 * Pure and synchronous; half a second for the largest documentation pages. `extractor.ts` runs it
 * in a thread.
 */
export function extract(input: ExtractInput): Extracted {
  return storable(read(input));
}

function read(input: ExtractInput): Extracted {
  const { kind = 'html' } = input;
  const wants = (format: Format) => input.formats.includes(format);
  const extracted: Extracted = {};
  if (wants('raw_html')) extracted.raw_html = withoutShownBoxes(input.html);
  if (!needsDocument(input)) return extracted;

  const fields = hasFields(input) ? input.fields : undefined;
  const html = sourceAsHtml(input.html, kind, input.url);
  const document = parsePage(html, input.url, {
    frames: input.frames ?? [],
    beforeResolve: (asWritten, base) => {
      if (fields) Object.assign(extracted, extractFields(asWritten, base, fields));
    },
  });
  const declared = cleanLine(input.title ?? readTitle(document));
  const title = declared === '' && kind === 'html' ? titleWithout(document) : declared;
  if (title !== input.title) extracted.title = title;
  if (kind === 'html' && !showsSomething(document)) extracted.isEmpty = true;
  if (wants('links')) extracted.links = extractLinks(document, input.url);
  if (wants('metadata')) extracted.metadata = extractMetadata(document, { ...input, title });
  if (wants('contacts')) extracted.contacts = toContacts(findDocumentContacts({ document, url: input.url }));
  if (input.likeness) extracted.likeness = likenessOf(document);
  if (!READS_CONTENT.some(wants)) return extracted;

  // Last, because it changes the document.
  const written = sourceAsWritten(input.html, kind);
  const scope = input.mainContent === true ? 'balanced' : input.mainContent;
  const content = scope && kind === 'html' ? mainContent(document, input.url, scope) : wholeContent(document);
  if (wants('html')) extracted.html = content.outerHTML;
  if (!written && (wants('text') || wants('markdown'))) makeReadable(content);
  if (wants('text')) extracted.text = written?.text ?? toText(content);
  if (wants('markdown')) extracted.markdown = written?.markdown ?? toMarkdown(content);
  return extracted;
}

function showsSomething(document: Document): boolean {
  const root = document.body ?? document.documentElement;
  if (select(document, 'img, picture, video, canvas, svg, input').length > 0) return true;
  for (let node = root?.firstChild ?? null; node && root; node = nextNode(node, root)) {
    if (isText(node) && /\S/.test(node.data) && !UNSHOWN.has(node.parentElement?.tagName ?? '')) return true;
  }
  return false;
}

const UNSHOWN = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'TITLE', 'IFRAME']);
