import { collapseSpaces } from '../document/dom.ts';
import { type Extracted, type ExtractInput, extract } from '../extract.ts';
import { storable } from '../storable.ts';
import { type FileAbout, pageOf } from './file-page.ts';
import type { FileLimits } from './limits.ts';
import { type FileSource, readFile } from './read-file.ts';

/** A fetched file and the requested output. */
export type ExtractFileInput = Omit<ExtractInput, 'html' | 'kind' | 'title'> & {
  file: FileSource;
  limits: FileLimits;
};

/**
 * The requested formats of a file, made from the HTML page it is converted to. All of its content
 * is main content.
 *
 * @throws PageFailure `file_unreadable`, `file_encrypted`, `page_too_large`
 */
export async function extractFile({ file, limits, ...input }: ExtractFileInput): Promise<Extracted> {
  const { body, about, error } = await readFile(file, limits);
  const title = about.title ?? headingIn(body, file.kind);
  const { metadata: _, ...extracted } = extract({
    ...{
      ...input,
      html: pageOf({ body, about: { ...about, title } }),
      title: title ?? '',
      mainContent: false,
    },
    formats: input.formats.filter((format) => format !== 'metadata'),
  });
  return {
    ...extracted,
    ...(title ? { title: storable(title) } : {}),
    ...(input.formats.includes('metadata') ? { metadata: storable(metadataOf(about, title)) } : {}),
    ...(error ? { fault: error } : {}),
  };
}

/** Fields of the format `metadata`; those without a value are absent. */
function metadataOf(
  { authors, counts, ...about }: FileAbout,
  title: string | undefined,
): Record<string, unknown> {
  const fields = {
    ...about,
    title,
    ...(authors ? { author: authors.join(', '), authors } : {}),
    ...counts,
  };
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/** The first heading; those of a spreadsheet are the names of its sheets. */
function headingIn(body: string, kind: FileSource['kind']): string | undefined {
  if (kind === 'xlsx') return undefined;
  const heading = /<h([1-3])>((?:(?!<\/h\1>)[\s\S]){1,1000})<\/h\1>/.exec(body.slice(0, 100_000))?.[2];
  const text = collapseSpaces((heading ?? '').replace(/<[^<>]*>/g, ' '))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&');
  return text || undefined;
}
