import type { Entity } from '../entities.ts';
import type { Finding } from '../finding.ts';
import type { PageElements } from '../page-elements.ts';
import { type Line, withoutIcons } from '../page-lines.ts';
import { excerpt } from '../snippet.ts';
import {
  type Candidate,
  cleanName,
  companyCandidates,
  legalFormAt,
  withoutLegalForm,
} from './company-candidates.ts';

/**
 * The name of the business, by a weighted vote over all candidates on the page. Candidates that
 * differ only in case, punctuation or legal form vote together. Agreement with the domain counts
 * most, because sites are usually named after their owner.
 */
export function findCompany(
  page: PageElements,
  lines: readonly Line[],
  entities: readonly Entity[],
  site: { host: string; domain: string | null },
): Finding[] {
  const label = site.domain?.split('.')[0] ?? null;
  const candidates = companyCandidates(page, lines, entities, site.host);
  if (label && site.domain) candidates.push(...namesLikeDomain(page, lines, label, site.domain));

  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const key = nameKey(candidate.name);
    if (key === '') continue;
    const group = groups.get(key);
    if (group) group.push(candidate);
    else groups.set(key, [candidate]);
  }
  const text = squash(
    lines
      .map((line) => line.text)
      .join(' ')
      .slice(0, 100_000),
  );
  mergeShorterNames(groups);
  const ranked = [...groups]
    .filter(([key, group]) => isSupported(key, group, label))
    .map(([key, group]) => ({ group, score: score(key, group, label, text) }))
    .sort((a, b) => b.score - a.score);
  const [best, second] = ranked;
  if (!best || best.score < MIN_SCORE) return [];
  const chosen = best.group.reduce((a, b) => (spellingScore(b) > spellingScore(a) ? b : a));
  const ahead = best.score - (second?.score ?? 0);
  return [
    {
      field: 'company',
      value: chosen.name,
      method: best.group.reduce((a, b) => (b.weight > a.weight ? b : a)).method,
      snippet: excerpt(chosen.snippet),
      confidence:
        Math.round(Math.min(0.97, 0.35 + best.score * 0.035 + Math.max(0, ahead) * 0.02) * 100) / 100,
    },
  ];
}

/**
 * Methods by which a page names itself on purpose. A longer name from these absorbs the shorter one
 * from the domain.
 */
const NAMING = new Set([
  'json_ld',
  'microdata',
  'rdfa',
  'hcard',
  'open_graph',
  'copyright',
  'title',
  'logo',
  'meta',
]);
const isNamed = (group: readonly Candidate[]): boolean => group.some(({ method }) => NAMING.has(method));

function mergeShorterNames(groups: Map<string, Candidate[]>): void {
  for (const [key, group] of groups) {
    if (isNamed(group) || key.length < 4) continue;
    const longer = [...groups]
      .filter(([other, { length }]) => length > 0 && other.length > key.length && other.startsWith(key))
      .filter(([, its]) => isNamed(its) && isLongerBy(its, group, 2))
      .sort((a, b) => b[1].length - a[1].length)[0];
    if (!longer) continue;
    groups.delete(key);
    for (const { weight, snippet } of group) {
      const name = longer[1][0]?.name ?? '';
      longer[1].push({ name, method: 'domain', weight, snippet });
    }
  }
}

const isLongerBy = (longer: readonly Candidate[], shorter: readonly Candidate[], most: number): boolean => {
  const [long = '', short = ''] = [longer[0]?.name, shorter[0]?.name];
  const words = (name: string) => withoutLegalForm(name).split(' ').length;
  return words(long) - words(short) <= most && !/[,:!?]/.test(withoutLegalForm(long));
};

/** Title, headings and text alone name the topic of a page, which need not be a business. */
const TOPIC = new Set(['title', 'heading', 'text']);
const isSupported = (key: string, group: readonly Candidate[], label: string | null): boolean =>
  group.some(({ method, name }) => !TOPIC.has(method) || withoutLegalForm(name) !== name) ||
  (label !== null && domainAgreement(key, group[0]?.name ?? '', squash(label)) > 0);

/** Minimum score; below it the candidate is an accidental line. */
const MIN_SCORE = 2.2;

const squash = (text: string): string =>
  (/^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : text.toLowerCase().normalize('NFKD'))
    .replace(/&/g, 'and')
    .replace(/[^\p{L}\d]/gu, '');

const nameKey = (name: string): string =>
  squash(
    withoutLegalForm(name)
      .replace(/^the\s/i, '')
      .replace(/\.(?:com|net|org|co\.uk|us|de|info|biz)$/i, ''),
  );

/** Score of a spelling: by the weight of its source; all capitals or all lower case score less. */
const spellingScore = ({ name, weight, method }: Candidate): number =>
  weight -
  (/\p{Ll}/u.test(name) || name.length < 5 ? 0 : 0.8) -
  (/\p{Lu}/u.test(name) ? 0 : 0.8) +
  (method === 'domain' ? 0.5 : 0);

function score(key: string, group: readonly Candidate[], label: string | null, text: string): number {
  // Further mentions by the same method count less.
  const byMethod = new Map<string, number[]>();
  for (const { method, weight } of group) byMethod.set(method, [...(byMethod.get(method) ?? []), weight]);
  let total = 0;
  for (const weights of byMethod.values()) {
    weights.sort((a, b) => b - a);
    total += weights.slice(0, 4).reduce((sum, weight, nth) => sum + weight / (nth + 1) ** 1.5, 0);
  }
  const isAddressOnly = group.every(({ name }) => /^[^\s]+\.[a-z]{2,}$/.test(name));
  total += label && !isAddressOnly ? domainAgreement(key, group[0]?.name ?? '', squash(label)) : 0;
  if (isAddressOnly) return Math.min(total, 4);
  if (group.some(({ method }) => method === 'domain')) total += 1;
  let mentions = 0;
  for (let at = text.indexOf(key); at >= 0 && mentions < 6; at = text.indexOf(key, at + key.length))
    mentions++;
  total += key.length >= 4 ? 0.25 * mentions : 0;
  const words = (group[0]?.name ?? '').split(' ').length;
  return total - Math.max(0, words - 5) * 0.7;
}

/** Agreement of a name with the domain's label, 0 to 5. */
function domainAgreement(key: string, name: string, label: string): number {
  const plain = label.replaceAll('and', '');
  const bare = key.replaceAll('and', '');
  if (bare === plain) return 5;
  if (label.length >= 4 && key.startsWith(label)) return 3;
  if (label.length >= 4 && key.includes(label)) return 2;
  if (key.length >= 4 && label.startsWith(key)) return key.length / label.length > 0.5 ? 3 : 2;
  if (key.length >= 5 && label.includes(key)) return 2;
  const words = name
    .toLowerCase()
    .split(/[^\p{L}\d&]+/u)
    .filter((word) => word && !/^(?:the|of|and|&|inc|llc|ltd)$/.test(word));
  const initials = words.map((word) => word[0]).join('');
  if (initials.length >= 3 && label.startsWith(initials)) return 2;
  // `Katz, Marshall & Banks` at kmblegal, `Darling Homes` at darlinghomes-tx: words of the name in
  // the label.
  const within = words.filter((word) => word.length >= 4 && label.includes(word)).join('').length;
  return within >= label.length * 0.5 ? 2 : within >= 4 ? 1 : 0;
}

/**
 * Words of the page that, joined, are the domain's label: `Utah Lawyer Loans` at
 * utahlawyerloans.com.
 */
function namesLikeDomain(
  page: PageElements,
  lines: readonly Line[],
  label: string,
  domain: string,
): Candidate[] {
  const wanted = squash(label);
  if (wanted.length < 4) return [];
  const found: Candidate[] = [];
  const texts = [page.title, ...lines.slice(0, 3000).map((line) => withoutIcons(line.text))];
  for (const text of texts) {
    if (found.length >= 40) break;
    const words = [...text.slice(0, 3000).matchAll(/[\p{L}\d&.'’-]+/gu)];
    words.forEach((word, first) => {
      let joined = '';
      for (
        let last = first;
        last < Math.min(words.length, first + 7) && joined.length < wanted.length;
        last++
      ) {
        joined += squash(words[last]?.[0] ?? '');
        if (!wanted.startsWith(joined.slice(0, wanted.length))) return;
        if (joined !== wanted) continue;
        const bare = (words[last]?.index ?? 0) + (words[last]?.[0].length ?? 0);
        const end = bare + (legalFormAt(text.slice(bare, bare + 30)) ?? '').length;
        const name = cleanName(text.slice(word.index, end));
        // All lower case means the URL itself or a sentence.
        if (name && /\p{Lu}/u.test(name) && name.length > 2)
          found.push({ name, method: 'domain', weight: 2, snippet: text });
      }
      const written = word[0].replace(/\.$/, '');
      if (written.toLowerCase() === domain && !/[@/.]/.test(text[word.index - 1] ?? ' '))
        found.push({ name: written, method: 'domain', weight: 1, snippet: text });
    });
  }
  return found;
}
