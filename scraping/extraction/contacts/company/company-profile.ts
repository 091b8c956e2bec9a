import { collapseSpaces } from '../../document/dom.ts';
import type { Finding } from '../finding.ts';
import { metaContent, type PageElements } from '../page-elements.ts';
import type { Line } from '../page-lines.ts';
import { around, excerpt } from '../snippet.ts';

/** Company profile from a page's head and text: description, logo, number of employees. */
export function findCompanyProfile(page: PageElements, lines: readonly Line[]): Finding[] {
  const found: Finding[] = [];
  const meta = (name: string) => collapseSpaces(metaContent(page, name)).slice(0, 1000);
  const described = meta('description');
  const shared = meta('og:description');
  if (described.length >= 20)
    found.push({
      field: 'description',
      value: described,
      method: 'meta',
      snippet: excerpt(described),
      confidence: 0.7,
    });
  if (shared.length >= 20 && shared !== described)
    found.push({
      field: 'description',
      value: shared,
      method: 'open_graph',
      snippet: excerpt(shared),
      confidence: 0.65,
    });
  const logo = findLogo(page);
  if (logo) found.push(logo);
  const size = employeesIn(lines);
  if (size) found.push(size);
  return found;
}

function findLogo({ images }: PageElements): Finding | null {
  for (const image of images.slice(0, 40)) {
    const src = image.getAttribute('src') ?? '';
    if (!/^https?:/.test(src)) continue;
    const own = `${image.id} ${image.getAttribute('class') ?? ''} ${image.getAttribute('alt') ?? ''} ${src.split('/').at(-1)}`;
    const outer = `${image.parentElement?.id ?? ''} ${image.parentElement?.getAttribute('class') ?? ''}`;
    if (
      !/logo/i.test(`${own} ${outer}`) ||
      /partner|client|sponsor|payment|footer/i.test(`${own} ${outer} ${src}`)
    )
      continue;
    return {
      field: 'logo',
      value: src,
      method: 'image',
      snippet: excerpt(image.getAttribute('alt') || src),
      confidence: 0.7,
    };
  }
  return null;
}

const EMPLOYEES =
  /(?<![\p{L}\d,.])(\d{1,3}(?:[,.]\d{3})?\+?(?:\s?[-–]\s?\d{1,3}(?:[,.]\d{3})?\+?)?)\s(?:(?:full[- ]time|dedicated|skilled|professional|talented)\s)?(?:employees|staff members|team members|mitarbeiter(?:innen)?|mitarbeitende|employés|collaborateurs|salariés|empleados|dipendenti|medewerkers|anställda|medarbejdere)(?![\p{L}])/iu;
/** Words that refer to the business itself, not to its customers or a law. */
const OURS =
  /\b(?:we|our|us|team of|staff of|employs?|company|with (?:over|more than|about|some)|wir|unser|nous|nos|notre|somos|nuestr\w+|siamo|headcount|company size)\b/i;

function employeesIn(lines: readonly Line[]): Finding | null {
  for (const { text } of lines) {
    const match = EMPLOYEES.exec(text);
    if (!match?.[1] || !OURS.test(text.slice(Math.max(0, match.index - 80), match.index + 80))) continue;
    const value = match[1].replace(/(?<=\d)[,.](?=\d{3})/g, '').replace(/\s?[-–]\s?/, '-');
    return {
      field: 'employees',
      value,
      method: 'text',
      snippet: around(text, match.index, match.index + match[0].length),
      confidence: 0.6,
    };
  }
  return null;
}
