import { type Line, withoutIcons } from './page-lines.ts';

/**
 * A page's lines without those about third parties: the host, the web agency, the dispute body. An
 * imprint has their street and phone number right beside the company's own.
 */
export function withoutThirdParties(lines: readonly Line[]): Line[] {
  const own: Line[] = [];
  const isImprint = lines.some(({ text }) => text.length <= 60 && IMPRINT.test(withoutIcons(text)));
  /** Lines of the third party still to skip. */
  let left = 0;
  for (const line of lines) {
    const text = withoutIcons(line.text);
    if (isThirdParty(text, isImprint)) left = MAX_LINES_PER_PARTY;
    else if (left > 0 && (line.heading || OWNER_AGAIN.test(text))) left = 0;
    if (left === 0) own.push(line);
    else left -= 1;
  }
  return own;
}

/**
 * Name, street, building, town, country, phone and e-mail: an imprint spends no more lines on a
 * third party.
 */
const MAX_LINES_PER_PARTY = 7;

function isThirdParty(text: string, isImprint: boolean): boolean {
  if (LABEL.test(text) || SENTENCE.test(text)) return true;
  return isImprint && text.length <= 60 && HEADING.test(text);
}

const IMPRINT =
  /^\s*(impressum|imprint|legal (notice|information|notes?)|site notice|mentions? l[ée]gales?|aviso legal|informaci[oó]n legal|notes? l[ée]gales?|note legali|informazioni legali|colofon|colophon|disclaimer|terms (of use|and conditions))/i;

const HOST =
  'hosting ?(?:provider|partner|company|service)|web ?host(?:er|ing)?|hoster|host provider|internet service provider|h[ée]bergeurs?|h[ée]bergement(?: du site)?(?: (?:web|internet))?|alojamiento(?: web)?|proveedor de (?:alojamiento|hosting)|alojado por|fornitore (?:di|del servizio di) hosting|hostingprovider';
const BUILDER =
  'web ?design(?:er)?(?: (?:by|and|&|und|et) \\w+)?|web ?development|web ?agency|website (?:by|design(?: by)?)|site (?:by|design by|created by|built by)|technische (?:umsetzung|realisierung|betreuung)|(?:umsetzung|realisierung|gestaltung|programmierung)(?: (?:und|&) \\w+)?|(?:conception|r[ée]alisation|cr[ée]ation|d[ée]veloppement)(?: (?:et \\w+ )?du site)?(?: (?:web|internet))?|realizzazione(?: (?:sito|tecnica))?(?: web)?|dise[ñn]o web|desarrollo web|realisatie';
const JUDGE =
  'verbraucherschlichtung(?:sstelle)?|schlichtungsstelle|aufsichtsbeh[öo]rde|supervisory authority|m[ée]diateur(?: de la consommation)?|arbitration (?:board|body)|ombudsman';

/**
 * `Hosting provider: …`, `Hébergeur - …`: a label at the start of a line, with the party after it
 * or below.
 */
const LABEL = new RegExp(
  `^\\W{0,3}(?:${HOST}|hosting|hosted by|${BUILDER}|${JUDGE})\\s?(?::|[-–—]\\s)\\s?`,
  'iu',
);
/** The same in a sentence. */
const SENTENCE =
  /\b(?:(?:site|website|pages?|server)\b.{0,40}\b(?:is|are|est|sont|wird|werden|è)?\s?(?:hosted (?:by|at|on)|h[ée]berg[ée]e?s? (?:par|chez)|gehostet|ospitato (?:da|presso)|alojad[oa] (?:en|por))|^hosted by|(?:website|site) (?:designed|developed|built|created) (?:and (?:\w+ )?)?by)\b/iu;
/**
 * A heading that is only the label. Counts in an imprint alone: elsewhere it is a service that the
 * company sells.
 */
const HEADING = new RegExp(
  `^\\W{0,3}(?:\\d{1,2}[.)]\\s?)?(?:${HOST}|hosting|${BUILDER}|${JUDGE})\\W{0,3}$`,
  'iu',
);

/** Labels where an imprint returns to its own company. */
const OWNER_AGAIN =
  /^\W{0,3}(?:[ée]diteur|[ée]dit[ée] par|publisher|published by|herausgeber|diensteanbieter|verantwortlich|angaben gem|kontakt|contact|anschrift|address|adresse|propri[ée]taire|owner|titular|responsable|directeur|si[èe]ge|sede|gesch[äa]ftsf[üu]hr|vertreten|registergericht|handelsregister|umsatzsteuer|ust|company|unternehmen|soci[ée]t[ée]|haftung|liability|copyright|©|privacy|datenschutz)/iu;
