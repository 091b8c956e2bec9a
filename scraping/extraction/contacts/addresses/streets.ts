// Words of address lines, by what they prove. All quantifiers are bounded, so matching is linear in
// the line.

const SUFFIX =
  'Street|St|Avenue|Ave|Av|Road|Rd|Drive|Dr|Boulevard|Blvd|Lane|Ln|Way|Court|Ct|Place|Pl|Parkway|Pkwy|Pky|Circle|Cir|Highway|Hwy|Terrace|Ter|Trail|Trl|Square|Sq|Plaza|Plz|Crescent|Cres|Cr|Close|Loop|Pike|Turnpike|Tpke|Expressway|Expy|Freeway|Fwy|Alley|Row|Walk|Mews|Grove|Gardens|Gdns|Hill|Parade|Pde|Quay|Wharf|Esplanade|Broadway|Commons?|Causeway|Bypass|Gate|Rise|Green|Run|Path|Crossing|Xing|Point|Pt|Ridge|View|Vista|Landing|Bend|Cove|Center|Centre|Heights|Route|Rte|Embankment|Strand|Mall|Concourse|Extension|Ext|Park|Marg|Nagar';
const DIRECTION =
  '(?:N\\.?E\\.?|N\\.?W\\.?|S\\.?E\\.?|S\\.?W\\.?|N\\.?|S\\.?|E\\.?|W\\.?|North|South|East|West|Northeast|Northwest|Southeast|Southwest)';
const UNIT =
  '(?:Suites?|Ste|Unit|Apt|Apartment|Floor|Fl|Level|Lvl|Room|Rm|Bldg|Building|Dept|Office|Shop|Studio|Lot|Bay|Flat|Mailbox|PMB|Box|Tower|Bureau|Étage|Appt|Büro)\\.?\\s?(?:#\\s?)?[A-Z]?-?\\d{0,6}[A-Z]?(?:-[A-Z\\d]{1,5})?|#\\s?[A-Z]?-?\\d{1,5}[A-Z]?|(?:\\d{1,3}(?:st|nd|rd|th)|First|Second|Third|Fourth|Fifth|Sixth|Ground|Top)\\s(?:Floor|Fl)\\.?';
const NUMBER =
  '(?:\\d{1,6}(?:-?[A-Za-z](?![a-z])|\\s-(?=\\s)|\\s?[½¼¾]|\\s1/2)?(?:\\s?[-–/&+]\\s?\\d{1,6}[A-Za-z]?){0,2}|[NSEW]\\d{1,4}\\s?[NSEW]\\d{2,6}|One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten)';
const NAME_WORD =
  "(?:\\d{1,4}(?:st|nd|rd|th|ST|ND|RD|TH)|[\\p{Lu}][\\p{L}.'’-]{0,24}|\\d{1,4}|of|the|and|&|de|la|del|los|las|du|des|le|St\\.)";

/** `8105 Birch Bay Square St. Suite 102`, `377 W 11TH ST. # 2F`, `1190 Kennestone Circle NW`. */
export const ENGLISH_STREET = new RegExp(
  `(?<![\\p{L}\\d$€£.,#-])${NUMBER},?\\s(?:${DIRECTION}(?:\\s|(?<=\\.)))?(?:${NAME_WORD}\\s){0,5}?(?:(?:${NAME_WORD}\\s)(?:${SUFFIX}|${SUFFIX.toUpperCase()}|rd|st|ave|road|street|drive|cres|avenue|lane|way|blvd)\\b\\.?|Broadway\\b|(?:State\\s)?(?:Highway|Hwy|Route|Rte|County\\sRoad|CR|US|FM)\\.?\\s\\d{1,4}\\b)(?:\\s(?:Extension|Ext)\\b\\.?)?(?:,?\\s${DIRECTION}(?![\\p{L}]))?(?:\\s?[,(]?\\s?(?:${UNIT})(?![\\p{L}\\d])\\)?){0,2}`,
  'gu',
);

export const PO_BOX =
  /(?<![\p{L}])(?:P\.?\s?O\.?\s?B(?:ox|OX)|Post\s(?:Office\s)?Box|POSTFACH|Postfach|Apartado(?:\sde\sCorreos)?|Casella\sPostale|B\.?P\.?|Bo[iî]te\s[Pp]ostale|Postbus|Box(?=\s\d{2,6}$)|GPO\s[Bb]ox|Private\s[Bb]ag)[\s:#.]{0,3}(?:[A-Z]{1,2}\s?)?\d{1,7}(?:[ -]\d{2,4})?\b/gu;

/** Continental streets: the number last, or the kind of street first. */
export const CONTINENTAL_STREET = new RegExp(
  [
    // Hauptstraße 12a, Alte Poststr. 4-6, Am Markt 3, Vegagatan 3, Nieuwezijds Voorburgwal 104
    "(?<![\\p{L}\\d])(?:[\\p{Lu}][\\p{L}.'’-]{1,30}[ -]){0,3}[\\p{Lu}][\\p{L}’'-]{0,30}(?:stra(?:ß|ss)e|str\\.|-Str\\.|weg|platz|allee|gasse|damm|ufer|chaussee|markt|graben|hof|steig|pfad|wall|tor|winkel|stieg|garten|laan|straat|plein|kade|gracht|dijk|singel|gatan|gata|vägen|väg|vej|vejen|gade|veien|vei|gaten|katu|tie|kuja|utca)\\s\\d{1,4}\\s?[a-zA-Z]?(?:\\s?[-–/+]\\s?\\d{1,4}\\s?[a-z]?)?(?![\\p{L}\\d])",
    "(?<![\\p{L}\\d])(?:[\\p{Lu}][\\p{L}.'’-]{1,30}[ -]){1,4}(?:Straße|Strasse|Str\\.|Weg|Platz|Allee|Gasse|Damm|Ring|Ufer|Chaussee|Markt|Graben|Hof|út|utca|tér|Straat|Laan|Plein)\\s\\d{1,4}\\s?[a-zA-Z]?(?:\\s?[-–/+]\\s?\\d{1,4}\\s?[a-z]?)?(?![\\p{L}\\d])",
    '(?<![\\p{L}\\d])(?:Am|An|Auf|Im|In|Zum|Zur|Unter|Bei)(?:\\s(?:der|den|dem))?\\s(?:[\\p{Lu}][\\p{L}-]{1,30}\\s){1,3}\\d{1,4}\\s?[a-z]?(?![\\p{L}\\d])',
    // 12 bis, rue de la Paix
    "(?<![\\p{L}\\d])\\d{1,4}(?:\\s?[-/]\\s?\\d{1,4})?(?:\\s?(?:bis|ter|quater|[A-D]))?,?\\s(?:[Rr]ue|RUE|[Aa]v(?:enue|\\.)|AVENUE|[Bb](?:oulevard|d|ld)\\.?|[Pp]lace|[Cc]hemin|[Cc]h\\.|[Aa]ll[ée]es?|[Qq]uai|[Rr]oute|[Ii]mpasse|[Cc]ours|[Ss]quare|[Pp]assage|[Ff]aubourg|[Ee]splanade|[Rr]ond-point|[Cc]it[ée]|[Mm]ont[ée]e|[Vv]oie|[Ss]entier|[Rr]uelle|Z\\.?[AI]\\.?)\\s(?:(?:de|du|des|la|le|les|d['’]|l['’]|à|au|aux|et|en|sur|sous|saint|sainte)\\s?|[\\p{Lu}\\d][\\p{L}\\d.'’-]{0,30}\\s?){1,7}",
    // Calle Mayor, 5 · Rua José Moura, Nº 608 · Via Roma 12/A · ul. Długa 7
    "(?<![\\p{L}\\d])(?:Calle|C/|Avenida|Avda\\.?|Av\\.|Plaza|Pza\\.?|Paseo|Pº|Carrer|Passeig|Ronda|Camino|Carretera|Ctra\\.?|Travesía|Rua|R\\.|Praça|Largo|Travessa|Estrada|Alameda|Via|Viale|V\\.le|Piazza|P\\.zza|Piazzale|Corso|C\\.so|Largo|Strada|Vicolo|Rue|Avenue|Boulevard|Place|Chaussée|ul\\.|Ul\\.|al\\.|Aleja|Aleje|os\\.|ulica|Strada|Str\\.|Bulevardul|bul\\.|Cad\\.|Sok\\.|Jalan|Jl\\.|Carrera|Cra\\.?|Jr\\.|Jirón)\\s?(?:(?:de|del|de\\sla|la|las|los|el|da|do|das|dos|della|delle|dei|degli|di|dell['’]|d['’]|e|y|i)\\s|[\\p{Lu}][\\p{L}.'’-]{0,30}\\s?|\\d{1,3}\\s(?=de\\s)){1,7},?\\s?(?:[Nn][º°ro.]{0,3}\\s?|#\\s?|n°\\s?)?\\d{1,5}(?:\\s?[-–/]\\s?\\d{1,4})?\\s?[A-Za-z]?(?![\\p{L}\\d])(?:,\\s\\d{1,2}[ºª°](?:\\s(?:[A-D]|[Aa]ndar|[Dd]cha|[Ii]zda|planta|piso)\\b\\.?)?)?",
  ].join('|'),
  'gu',
);

/** Streets that begin with their kind; the number follows after a comma, or precedes with one. */
export const STREET_KIND_FIRST =
  /^(?:\d{1,4}(?:\s(?:bis|ter|[A-D]))?,\s)?(?:calle|c\/|avenida|avda|av|plaza|paseo|carrer|passeig|ronda|camino|carretera|ctra|rua|r\.|praça|largo|travessa|estrada|alameda|via|viale|piazza|corso|strada|vicolo|rue|avenue|boulevard|bd|place|chemin|all[ée]e|quai|route|impasse|cours|square|passage|chaussée|ul\.|al\.)[\s.]/iu;

/** Cheap test whether a line may have a continental street. */
export const CONTINENTAL_HINT =
  /\d.*(?:rue|av|b(?:oulevar|l)?d|place|chemin|ch\.|all[ée]|quai|route|impasse|cours|square|passage|voie|z\.?[ai])|(?:stra|str\.|weg|platz|allee|gasse|damm|ufer|chauss|markt|graben|hof|steig|pfad|wall|tor|winkel|stieg|garten|laan|plein|kade|gracht|dijk|singel|gat[ae]|väg|vej|vei|gade|katu|tie|kuja|utca|ring|út|tér|am|an|auf|im|in|zu[mr]|unter|bei|calle|c\/|av|p[lz]a|paseo|pº|carrer|passeig|ronda|camino|c(?:arre)?t(?:e)?ra|traves|rua|r\.|praça|largo|estrada|alameda|via|v\.le|pia|corso|c\.so|vicolo|rue|boulevard|place|ul\.|ulica|al\.|ale[ij]|os\.|bul|cad\.|sok\.|jalan|jl\.|carrera|cra|j[ri]r).*\d/iu;

/** A part that belongs to a street without being one: flat, building, estate. */
export const UNIT_PART = new RegExp(`^(?:${UNIT}(?:\\s.{0,30})?|\\(.{2,40}\\))$`, 'iu');
export const BUILDING_PART =
  /(?<![\p{L}])(?:House|Building|Bldg|Buildings|Tower|Towers|Centre|Center|Court|Park|Estate|Mill|Mills|Works|Chambers|Lodge|Hall|Yard|Farm|Barn|Wharf|Plaza|Complex|Campus|Business|Trading|Industrial|Studios?|Mall|Arcade|Gate|Point|Block|Floor|Unit|Suite|Office|Shop|Level|Villa|Cottage|Manor|Place|Square|Village|Green|Quay|Hill|Mansions?|Precinct|Parade|Warehouse|Hangar|Airport|Phase|Sector|Plot|Lot|Zone|Hub|Corner|Knowledge City)(?![\p{L}])/u;
const STREET_WORD = new RegExp(`\\p{L}\\s(?:${SUFFIX})\\b\\.?`, 'u');
/**
 * A street without number, by its last word: `Village Way`, `Harry Weston Road`. Valid only next to
 * a town.
 */
export const isStreetName = (part: string): boolean =>
  part.length <= 50 && /^[\p{Lu}\d]/u.test(part) && STREET_WORD.test(` ${part}`) && !/[!?:;]/.test(part);
