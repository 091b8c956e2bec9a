import type { Archive } from '../archive.ts';
import { authorsIn, type FileAbout, titleIn } from '../file-page.ts';
import { textsIn } from './xml.ts';

/** What a file of Word, PowerPoint or Excel says about itself (`docProps`). */
export function coreProperties(archive: Archive): FileAbout {
  const core = textsIn(archive.text('docProps/core.xml'), [
    ...['dc:title', 'dc:creator', 'dc:subject', 'dc:description', 'dc:language', 'cp:keywords'],
    ...['dcterms:created', 'dcterms:modified'],
  ]);
  const of = (name: string) => core.get(name)?.trim().slice(0, 1000) || undefined;
  return {
    title: titleIn(of('dc:title')),
    authors: authorsIn(of('dc:creator')),
    description: of('dc:description') ?? of('dc:subject'),
    keywords: of('cp:keywords'),
    language: languageIn(of('dc:language')),
    published: momentIn(of('dcterms:created')),
    modified: momentIn(of('dcterms:modified')),
    generator:
      textsIn(archive.text('docProps/app.xml'), ['Application']).get('Application')?.trim() || undefined,
  };
}

export const languageIn = (text: string | undefined): string | undefined =>
  text && /^[a-z]{2,3}([-_][\w-]{1,20})?$/i.test(text) ? text.replace('_', '-') : undefined;

export const momentIn = (text: string | undefined): string | undefined =>
  text && /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
