/** Roles of people in a business, in the languages of the addresses that are read. */
const ROLES = [
  // German
  '(?:gesch[äa]ftsf[üu]hr(?:ende[rn]? )?(?:er(?:innen|in)?|ung)(?: und (?:inhaber(?:in)?|gesellschafter(?:in)?))?|gesch[äa]ftsf[üu]hrende[rn]? gesellschafter(?:in)?|gesch[äa]ftsleitung)',
  '(?:praxis|betriebs|gesch[äa]fts|firmen)?inhaber(?:in)?',
  '(?:vorstands?(?:vorsitzende[rn]?|mitglied(?:er)?|sprecher(?:in)?)?|aufsichtsrats?(?:vorsitzende[rn]?)?|vorsitzende[rn]?)',
  '(?:prokurist(?:in)?|gesellschafter(?:in)?|komplement[äa]r(?:in)?|ansprechpartner(?:in)?|(?:filial|praxis|vertriebs|betriebs|verkaufs|marketing|technische[rn]? |kaufm[äa]nnische[rn]? )?leit(?:er(?:in)?|ung))',
  // English
  'chief (?:executive|financial|operating|technology|technical|marketing|commercial|information|product) officer',
  '(?:ceo|cfo|cto|coo|cmo|cio|cpo)(?: (?:and|&) (?:co-?)?founder)?',
  '(?:(?:co-?)?founder|owner|president|vice president|managing (?:director|partner|member)|general manager|(?:executive |sales |marketing |technical |finance |creative |operations |medical |clinical |art |project )?(?:director|manager)|(?:founding |senior )?partner|principal|proprietor|chair(?:man|woman|person)?|company secretary|registered agent|head of [\\p{L} &]{2,25})(?:,? (?:and|&|\\/) (?:(?:co-?)?founder|owner|ceo|president|director|manager))?',
  // French
  '(?:g[ée]rante?|(?:co-?)?fondat(?:eur|rice)|directeur|directrice|pr[ée]sidente?(?:[ -]directeur g[ée]n[ée]ral)?|pdg|associ[ée]e?|repr[ée]sentante? l[ée]gale?|responsable)(?: (?:g[ée]n[ée]rale?|commerciale?|technique|associ[ée]e?|de (?:la )?(?:publication|r[ée]daction|communication)))?',
  // Italian
  '(?:amministrat(?:ore|rice)(?: (?:unic[oa]|delegat[oa]))?|titolare|legale rappresentante|rappresentante legale|presidente|dirett(?:ore|rice)(?: (?:generale|responsabile|commerciale|tecnico|sanitario))?|fondat(?:ore|rice)|soci[oa])',
  // Spanish, Portuguese
  '(?:gerente(?: general)?|administrador(?:a)?(?: [úu]nic[oa])?|director(?:a)?(?: (?:general|comercial|t[ée]cnic[oa]|m[ée]dic[oa]))?|propietari[oa]|titular|representante legal|consejer[oa] delegad[oa]|fundador(?:a)?|s[óo]ci[oa](?:[ -]gerente|[ -]administrador(?:a)?)?|diretor(?:a)?(?: (?:geral|comercial|t[ée]cnic[oa]))?|propriet[áa]ri[oa]|respons[áa]vel(?: t[ée]cnic[oa])?)',
  // Dutch
  '(?:eigena(?:ar|resse)|directeur|bestuurder|oprichter|zaakvoerder|contactpersoon|algemeen directeur)',
  // Polish, Czech, Slovak
  '(?:prezes(?: zarz[ąa]du)?|wiceprezes(?: zarz[ąa]du)?|w[łl]a[śs]ciciel(?:ka)?|dyrektor(?: (?:generalny|zarz[ąa]dzaj[ąa]cy|handlowy))?|wsp[óo]lnik|prokurent|cz[łl]onek zarz[ąa]du|za[łl]o[żz]yciel(?:ka)?)',
  '(?:jednatel(?:ka)?|konate[ľl](?:ka)?|[řr]editel(?:ka)?|riadite[ľl](?:ka)?|majitel(?:ka)?|p[řr]edseda p[řr]edstavenstva|zakladatel(?:ka)?|statut[áa]rn[íi] (?:z[áa]stupce|org[áa]n))',
  // Nordic
  '(?:(?:adm(?:inistrerende|\\.)? )?direkt[øo]r|indehaver|ejer|verkst[äa]llande direkt[öo]r|vd|[äa]gare|grundare|daglig leder|styreleder|toimitusjohtaja|omistaja)',
  // Hungarian, Romanian, Turkish, Greek
  '(?:[üu]gyvezet[őo](?: igazgat[óo])?|tulajdonos|genel m[üu]d[üu]r|kurucu(?: ortak)?|firma sahibi|y[öo]netim kurulu ba[şs]kan[ıi]|διευθ[υύ]ν(?:ων|ουσα)(?: σ[υύ]μβουλος)?|ιδιοκτ[ηή]της)',
  // Russian
  '(?:генеральный директор|коммерческий директор|исполнительный директор|директор|руководитель|индивидуальный предприниматель|основатель|владелец|президент)',
].join('|');

const EASTERN_ROLES =
  '代表取締役(?:社長|会長)?|代表社員|代表者(?:名)?|代表|取締役(?:社長)?|社長|院長|店長|責任者|運営責任者|대표이사|대표자(?:명)?|대표|원장|법인대표|法定代表人|法人代表|总经理|董事长|总裁|负责人';

/** Words that introduce who represents the business; the role itself may follow. */
const INTRODUCTIONS =
  '(?:gesetzlich )?vertret(?:en durch|ungsberechtigte[rn]?(?: (?:person(?:en)?|gesellschafter|gesch[äa]ftsf[üu]hrer|vorstand))?)|represented by|rappresentata da|repr[ée]sent[ée]e? par|representada por|(?:inhaltlich )?verantwortlich(?:e[rn]?)?(?: (?:f[üu]r den inhalt|i\\.\\s?s\\.\\s?d\\.?|nach|gem[äa][ßs])[^:]{0,60})?';

const PREFIX = "(?:durch |by |(?:den|die|der|unsere[nr]?|our|the|le|la|les|el|il|lo|l[’'])\\s?)?";

/** The role at the start of a line, up to its colon, dash or end. */
export const ROLE_FIRST = new RegExp(
  `^[^\\p{L}\\d]{0,3}(?:(?<intro>${INTRODUCTIONS})\\s?[:：]?\\s?)?(?:${PREFIX}(?<role>${ROLES}|${EASTERN_ROLES})(?![\\p{L}]))?(?<end>\\s?[:：–—-]\\s?|\\s|$)`,
  'iu',
);
/** The whole text is a role: `CEO & Founder`, `Head of Sales`. */
export const IS_ROLE = new RegExp(
  `^(?:${ROLES}|${EASTERN_ROLES})(?:\\s?(?:,|&|/|und|and|et|e|y|i|\\|)\\s?(?:${ROLES}))?(?: (?:of|bei|von|der|de|for|für) [\\p{L} .&-]{2,30})?$`,
  'iu',
);
/** A role behind a name: `Eva Muster, Geschäftsführerin`, `Eva Muster (CEO)`. */
export const ROLE_AFTER = new RegExp(
  `\\s?(?:,|–|—|\\||·|\\s-|\\()\\s?(?<role>${ROLES}|${EASTERN_ROLES})(?![\\p{L}])`,
  'giu',
);
/** Whether a line may hold a role at all; most do not. */
export const MAY_HOLD_ROLE = new RegExp(
  `${ROLES}|${EASTERN_ROLES}|vertret|represent|repr[ée]sent|verantwortlich`,
  'iu',
);
