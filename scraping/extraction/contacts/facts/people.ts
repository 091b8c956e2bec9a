import type { Person } from '../../../../core/leads/lead.ts';
import { type Entity, propertyText } from '../entities.ts';
import type { Finding } from '../finding.ts';
import { type Line, withoutIcons } from '../page-lines.ts';
import { parsePhone } from '../phones/phone-numbers.ts';
import { excerpt } from '../snippet.ts';
import { folded } from './kinds.ts';
import { IS_ROLE, MAY_HOLD_ROLE, ROLE_AFTER, ROLE_FIRST } from './roles.ts';

const MAX_PEOPLE = 50;

/**
 * People who speak for the business, with their roles: of structured data, and where the text puts
 * a role beside a name. A name without a role is nobody in particular, so it is left out.
 */
export function findPeople(
  lines: readonly Line[],
  entities: readonly Entity[],
  { emails, countries }: { emails: readonly string[]; countries: readonly string[] },
): Finding[] {
  const found = new Map<string, Finding>();
  const add = (person: Person, method: string, snippet: string, confidence: number) => {
    const key = folded(withoutTitles(person.name));
    if (found.has(key) || found.size >= MAX_PEOPLE) return;
    const email = person.email ?? emailOf(person.name, emails);
    found.set(key, {
      ...{ field: 'person', value: person.name, person: { ...person, email } },
      ...{ method, snippet: excerpt(snippet), confidence },
    });
  };
  for (const entity of entities) {
    const person = structuredPerson(entity, countries);
    if (person) add(person, entity.method, `${person.name} ${person.role ?? ''}`, 0.95);
  }
  const texts = lines.map(({ text }) => withoutIcons(text));
  texts.forEach((text, at) => {
    if (text.length > LONGEST_LINE || !MAY_HOLD_ROLE.test(text)) return;
    const parts = text.split(/\s?[|·•]\s?/).filter(Boolean);
    const around = [texts[at - 1] ?? '', ...parts, texts[at + 1] ?? ''];
    parts.forEach((_, nth) => {
      for (const { name, role, confidence } of namesIn(around, nth + 1))
        add({ name, role, email: null, phone: null }, 'text', `${texts[at - 1] ?? ''} ${text}`, confidence);
    });
  });
  return [...found.values()];
}

const LONGEST_LINE = 400;

interface Named {
  name: string;
  role: string | null;
  confidence: number;
}

function namesIn(texts: readonly string[], at: number): Named[] {
  const text = texts[at] ?? '';
  const [above = '', below = ''] = [texts[at - 1], texts[at + 1]];
  // A card: the name in one line, the role in the next, or the other way round.
  if (text.length <= 80 && IS_ROLE.test(text)) {
    const own = personName(above);
    if (own) return [{ name: own, role: text, confidence: 0.75 }];
    return namesOf(below).map((name) => ({ name, role: text, confidence: 0.7 }));
  }
  const first = ROLE_FIRST.exec(text);
  const { intro, role, end } = first?.groups ?? {};
  if (first && (intro || role)) {
    const rest = text.slice(first[0].length);
    const words = role ?? intro?.replace(/[\s:：]+$/, '').slice(0, 60) ?? null;
    if (rest.trim() === '') return namesOf(below).map((name) => ({ name, role: words, confidence: 0.8 }));
    // Without a colon it may be a sentence: "Director of this film".
    const isLabel = /[:：–—-]/.test(end ?? '') || intro !== undefined || text.length <= 60;
    const names = isLabel ? namesOf(rest) : [];
    if (names.length > 0)
      return names.map((name) => ({ name, role: words, confidence: /[:：]/.test(end ?? '') ? 0.85 : 0.7 }));
  }
  const named: Named[] = [];
  for (const match of text.matchAll(ROLE_AFTER)) {
    const before =
      text
        .slice(0, match.index)
        .split(/[,;:|·•()]|\s[-–—]\s/)
        .at(-1) ?? '';
    const name = personName(before.trim());
    if (name && match.groups?.role) named.push({ name, role: match.groups.role, confidence: 0.7 });
  }
  return named;
}

/** `Eva Muster, Dr. Jan Beispiel und Max Mann` are three. */
function namesOf(text: string): string[] {
  const names: string[] = [];
  const parts = text.slice(0, 300).split(/\s?[,;/、，]\s?|\s(?:und|and|et|y|e|i|en|og|och|a|&|u\.)\s/u);
  for (const part of parts) {
    const name = personName(part.replace(/\s?[([（].*$/, ''));
    // The first part that is no name ends the list.
    if (!name) {
      if (names.length > 0 || !TITLES_ONLY.test(part)) break;
      continue;
    }
    names.push(name);
  }
  return names;
}

const TITLE =
  '(?:(?:prof|dr|drs|dipl|ing|mag|med|dent|jur|rer|nat|phil|oec|habil|univ|mba|llm|bsc|msc|ra|rae|rain|stb|wp|mr|mrs|ms|miss|mme|mlle|sig|sigra|sra|srta|sr|dott|dottssa|avv|arch|geom|rag|ing|mgr|mudr|judr|bc|inż|lic|herr|frau|herrn|hr|fr|m|d|dña|don)\\b\\.?(?:-(?:ing|kfm|kffr|inf|phys|chem|psych|betriebsw)\\b\\.?)?(?:\\s?\\(fh\\))?[\\s.]*)';
const TITLES = new RegExp(`^${TITLE}{1,6}`, 'iu');
const TITLES_ONLY = new RegExp(`^${TITLE}{1,6}$`, 'iu');
const withoutTitles = (name: string): string => name.replace(TITLES, '').trim() || name;

const WORD =
  "(?:(?:Mc|Mac|O[’'`]|D[’'`]|L[’'`]|de|Di|De|Le|La|Van|Von)?\\p{Lu}\\p{Ll}{1,20}(?:[-–’']\\p{Lu}?\\p{Ll}{1,20})?|\\p{Lu}{2,20}(?:-\\p{Lu}{2,20})?|\\p{Lu}\\.)";
const PARTICLE =
  '(?:von|van|de|der|den|del|della|di|da|do|dos|das|du|la|le|zu|zur|ten|ter|bin|al|el|y|af|av|vom|und zu)';
const NAME = new RegExp(`^${WORD}(?:\\s(?:${PARTICLE}\\s){0,2}${WORD}){1,3}$`, 'u');
const EASTERN_NAME =
  /^(?:\p{Script=Han}{1,3}[\s\u3000]?[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,4}|\p{Script=Hangul}{2,4})$/u;

/** Words of firms, places and pages that are written like names. */
const NO_NAME =
  /(?<![\p{L}])(?:gmbh|mbh|ag|kg|ohg|ug|gbr|inc|llc|llp|ltd|limited|corp|company|co|plc|group|gruppe|holding|sarl|sas|srl|spa|s\.a|team|kontakt|contact|contacts|impressum|about|home|our|the|your|my|this|you|unser|unsere|notre|nos|und|and|street|stra(?:ss|ß)e|str|weg|platz|allee|road|avenue|lane|drive|suite|amtsgericht|registergericht|handelsregister|finanzamt|telefon|telefax|phone|tel|fax|mobil|e-?mail|mail|web|website|internet|adresse|address|services?|solutions?|consulting|marketing|management|sales|support|office|department|abteilung|vertrieb|verkauf|verwaltung|sitz|registered|number|news|blog|shop|store|restaurant|hotel|praxis|kanzlei|university|universit(?:y|ät|é)|school|college|institut(?:e)?|north|south|east|west|united|states|kingdom|germany|deutschland|france|italia|españa|monday|tuesday|wednesday|thursday|friday|montag|dienstag|mittwoch|donnerstag|freitag|january|february|march|april|june|july|august|september|october|november|december|januar|februar|juni|juli|oktober|dezember|read|more|learn|view|meet|see|all|new|privacy|policy|terms|legal|notice|copyright|rights|reserved|board|directors?|director|manager|officer|president|founder|owner|chief|executive|managing|general|partner|secretary|assistant|customer|business|product|project|development|engineering|technology|technologies|systems?|international|global|local|national|centre|center|association|foundation|society|club|bank|insurance|real|estate|property|legal|law|firm|medical|dental|health|care|clinic|hospital|geschäftsführer(?:in)?|geschäftsführung|inhaber(?:in)?|vorstand|leiter(?:in)?|leitung|ansprechpartner(?:in)?|gesellschafter(?:in)?|gérante?|directeur|directrice|titolare|amministratore|gerente|director[ae]?|eigenaar|prezes|jednatel|umsatzsteuer|steuernummer|angaben|gemäß|verantwortlich|haftung|inhalt|vertreten|durch)(?![\p{L}])/iu;

function personName(text: string): string | null {
  const written = text.trim().replace(/[.,;:]+$/, '');
  if (written.length < 2 || written.length > 60) return null;
  if (EASTERN_NAME.test(written)) return EASTERN_STOP.test(written) ? null : written;
  if (/\d|@|https?:/.test(written)) return null;
  const bare = withoutTitles(written).replace(
    /,?\s(?:ph\.?d|mba|m\.?d|esq|jr|sr|cpa|llm|msc|bsc|fca|aca)\.?$/i,
    '',
  );
  if (!NAME.test(bare) || NO_NAME.test(bare)) return isCyrillicName(bare) ? written : null;
  return written;
}

const EASTERN_STOP =
  /会社|公司|株式|有限|主任|部長|担当|電話|住所|所在|地址|电话|회사|주소|전화|번호|이사|업체/;
const isCyrillicName = (text: string): boolean =>
  /^\p{Script=Cyrillic}{2,20}(?:-\p{Lu}\p{Ll}{1,20})?\s\p{Lu}(?:\p{Ll}{1,20}|\.)\s?(?:\p{Lu}(?:\p{Ll}{1,20}|\.))?$/u.test(
    text,
  ) && /^\p{Lu}/u.test(text);

/** The address whose local part has the surname. */
function emailOf(name: string, emails: readonly string[]): string | null {
  const words = folded(withoutTitles(name))
    .split(/[^a-z]+/)
    .filter(Boolean);
  const surname = words.at(-1) ?? '';
  if (surname.length < 3) return null;
  return emails.find((address) => address.slice(0, address.indexOf('@')).includes(surname)) ?? null;
}

/** Roles by which structured data links people to their business. */
const STAFF = /^(?:founders?|employees?|members?|owner|alumni|director|contactPoint)$/;
const AUTHORS =
  /^(?:author|creator|editor|contributor|reviewedBy|actor|performer|author|publisher|copyrightHolder|itemReviewed|review)$/;

function structuredPerson(entity: Entity, countries: readonly string[]): Person | null {
  if (!entity.types.includes('Person') || (entity.role && AUTHORS.test(entity.role))) return null;
  const name =
    propertyText(entity, 'name') ??
    [propertyText(entity, 'givenName'), propertyText(entity, 'familyName')].filter(Boolean).join(' ');
  const link = entity.role && STAFF.test(entity.role) ? entity.role.replace(/s$/, '') : null;
  const title = propertyText(entity, 'jobTitle', 'hasOccupation');
  const role = title ?? (link === 'founder' || link === 'owner' || link === 'director' ? link : null);
  if (!role && !link) return null;
  if (name.length < 3 || name.length > 80 || /[@\d]/.test(name)) return null;
  const number = parsePhone(propertyText(entity, 'telephone') ?? '', countries);
  const email = /^(?:mailto:)?([^@\s?]+@[^@\s?]+\.[a-z]{2,})/i.exec(propertyText(entity, 'email') ?? '')?.[1];
  return { name, role, email: email?.toLowerCase() ?? null, phone: number?.value ?? null };
}
