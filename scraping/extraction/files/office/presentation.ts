import { escapeHtml } from '../../../../core/escape-html.ts';
import { pageError } from '../../../../core/jobs/page-errors.ts';
import { parseUrl } from '../../../../core/parse-url.ts';
import { type Archive, openArchive } from '../archive.ts';
import type { FilePage } from '../file-page.ts';
import type { FileLimits } from '../limits.ts';
import { coreProperties } from './core-properties.ts';
import { readXml } from './xml.ts';

/** A PPTX as a page: a section per slide with its title, paragraphs, lists and tables. */
export function presentationAsPage(bytes: Uint8Array, limits: FileLimits): FilePage {
  const archive = openArchive(bytes, limits);
  const slides = slidePaths(archive);
  const shown = slides.slice(0, limits.pages);
  return {
    body: shown.map((path) => slideAsHtml(archive, path)).join('\n'),
    about: { ...coreProperties(archive), counts: { slides: slides.length } },
    error:
      shown.length < slides.length
        ? pageError('page_too_large', `only the first ${shown.length} of ${slides.length} slides are read`)
        : null,
  };
}

/** In the order of the presentation. */
function slidePaths(archive: Archive): string[] {
  const targets = relationsOf(archive, 'ppt/presentation.xml');
  const paths: string[] = [];
  readXml(archive.text('ppt/presentation.xml'), {
    open: (name, attributes) => {
      const target = name === 'p:sldId' ? targets.get(attributes['r:id'] ?? '') : undefined;
      if (target) paths.push(target.startsWith('/') ? target.slice(1) : `ppt/${target}`);
    },
  });
  return paths.filter((path) => archive.bytes(path) !== null);
}

/** Targets by relation id. */
function relationsOf(archive: Archive, path: string): Map<string, string> {
  const targets = new Map<string, string>();
  const relations = path.replace(/([^/]+)$/, '_rels/$1.rels');
  readXml(archive.text(relations), {
    open: (name, { Id, Target }) => {
      if (name === 'Relationship' && Id && Target) targets.set(Id, Target);
    },
  });
  return targets;
}

function slideAsHtml(archive: Archive, path: string): string {
  const links = relationsOf(archive, path);
  let html = '';
  let paragraph = '';
  let href: string | null = null;
  let isTitle = false;
  let isBody = false;
  let isText = false;
  let cells: string[] | null = null;
  let rows: string[][] | null = null;
  const closeLink = () => {
    if (href !== null) paragraph += '</a>';
    href = null;
  };
  readXml(archive.text(path), {
    open: (name, attributes) => {
      if (name === 'p:sp') isTitle = isBody = false;
      else if (name === 'p:ph') {
        isTitle = /itle$/.test(attributes.type ?? '') && attributes.type !== 'subTitle';
        isBody = attributes.type === 'body' || attributes.type === undefined;
      } else if (name === 'a:t') isText = true;
      else if (name === 'a:br') paragraph += '<br>';
      else if (name === 'a:hlinkClick' && href === null) {
        const target = links.get(attributes['r:id'] ?? '');
        if (target && /^(https?|mailto|tel):/i.test(target) && parseUrl(target)) {
          href = target;
          paragraph += `<a href="${escapeHtml(target)}">`;
        }
      } else if (name === 'a:tbl') rows = [];
      else if (name === 'a:tr') cells = [];
    },
    text: (text) => {
      if (isText) paragraph += escapeHtml(text);
    },
    close: (name) => {
      if (name === 'a:t') isText = false;
      else if (name === 'a:r') closeLink();
      else if (name === 'a:p') {
        const text = paragraph.trim();
        if (cells === null && text !== '')
          html += isTitle
            ? `<h2>${text}</h2>\n`
            : isBody
              ? `<ul><li>${text}</li></ul>\n`
              : `<p>${text}</p>\n`;
        if (cells === null) paragraph = '';
        else if (text !== '') paragraph += '<br>';
      } else if (name === 'a:tc') {
        cells?.push(paragraph.replace(/(<br>)+$/, '').trim());
        paragraph = '';
      } else if (name === 'a:tr') {
        if (cells) rows?.push(cells);
        cells = null;
      } else if (name === 'a:tbl') {
        html += `<table>${(rows ?? []).map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>\n`;
        rows = null;
      }
    },
  });
  return `<section>${html.replaceAll('</ul>\n<ul>', '')}</section>`;
}
