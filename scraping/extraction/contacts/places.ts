/** Country names in addresses, in English and local languages, by ISO 3166-1 alpha-2 code. */
const COUNTRY_NAMES: Record<string, string> = {
  US: 'united states|united states of america|usa|u.s.a.|u.s.|us|estados unidos|vereinigte staaten',
  CA: 'canada|kanada',
  GB: 'united kingdom|uk|u.k.|great britain|england|scotland|wales|northern ireland|vereinigtes königreich|royaume-uni',
  IE: 'ireland|éire|republic of ireland',
  AU: 'australia|australien',
  NZ: 'new zealand|aotearoa',
  DE: 'germany|deutschland|allemagne|alemania|germania|tyskland|bundesrepublik deutschland',
  AT: 'austria|österreich|autriche',
  CH: 'switzerland|schweiz|suisse|svizzera|suiza',
  LI: 'liechtenstein',
  FR: 'france|frankreich|francia',
  BE: 'belgium|belgië|belgique|belgien',
  NL: 'netherlands|the netherlands|nederland|holland|niederlande|pays-bas',
  LU: 'luxembourg|luxemburg',
  ES: 'spain|españa|spanien|espagne',
  PT: 'portugal',
  IT: 'italy|italia|italien|italie',
  GR: 'greece|ελλάδα|hellas|griechenland',
  DK: 'denmark|danmark|dänemark',
  SE: 'sweden|sverige|schweden',
  NO: 'norway|norge|norwegen',
  FI: 'finland|suomi|finnland',
  IS: 'iceland|ísland',
  PL: 'poland|polska|polen',
  CZ: 'czech republic|czechia|česko|česká republika|tschechien',
  SK: 'slovakia|slovensko|slowakei',
  HU: 'hungary|magyarország|ungarn',
  RO: 'romania|românia',
  BG: 'bulgaria|българия',
  HR: 'croatia|hrvatska|kroatien',
  SI: 'slovenia|slovenija|slowenien',
  RS: 'serbia|srbija|србија',
  EE: 'estonia|eesti',
  LV: 'latvia|latvija',
  LT: 'lithuania|lietuva',
  UA: 'ukraine|україна',
  RU: 'russia|russian federation|россия',
  TR: 'turkey|türkiye|turkiye',
  IL: 'israel|ישראל',
  AE: 'united arab emirates|uae|u.a.e.',
  SA: 'saudi arabia|kingdom of saudi arabia|ksa',
  QA: 'qatar',
  KW: 'kuwait',
  BH: 'bahrain',
  OM: 'oman|sultanate of oman',
  EG: 'egypt',
  MA: 'morocco|maroc',
  NG: 'nigeria',
  KE: 'kenya',
  ZA: 'south africa|s.africa|suid-afrika',
  IN: 'india|bharat',
  PK: 'pakistan',
  BD: 'bangladesh',
  LK: 'sri lanka|srilanka',
  CN: 'china|p.r. china|pr china|p.r.china|中国',
  HK: 'hong kong|hongkong',
  TW: 'taiwan|台灣',
  JP: 'japan|日本',
  KR: 'south korea|korea|republic of korea|대한민국',
  SG: 'singapore',
  MY: 'malaysia',
  TH: 'thailand',
  VN: 'vietnam|viet nam|việt nam',
  PH: 'philippines',
  ID: 'indonesia',
  MX: 'mexico|méxico',
  BR: 'brazil|brasil',
  AR: 'argentina',
  CL: 'chile',
  CO: 'colombia',
  PE: 'peru|perú',
  PR: 'puerto rico',
  CY: 'cyprus|κύπρος',
  MT: 'malta',
};

const byName = new Map(
  Object.entries(COUNTRY_NAMES).flatMap(([code, names]) =>
    names.split('|').map((name) => [name, code] as const),
  ),
);

/** Country names in running text, capitalized. */
export const COUNTRY_MENTION = new RegExp(
  `(?<![\\p{L}])(?:${[...byName.keys()]
    .filter((name) => name.length > 4 && /^\p{L}/u.test(name))
    .map((name) =>
      name.replace(/(?<![\p{L}])\p{Ll}/gu, (letter) => letter.toUpperCase()).replaceAll('.', '\\.'),
    )
    .join('|')})(?![\\p{L}])`,
  'gu',
);

const LONGEST_NAME = 200;

/** `Deutschland` and `DE` give `DE`; null if the text is no country. */
export function parseCountry(text: string): string | null {
  if (text.length > LONGEST_NAME) return null;
  const name = text
    .toLowerCase()
    .replace(/[\s.,;]+$/, '')
    .replace(/^[\s,]+/, '')
    .replace(/\s+/g, ' ');
  const code = byName.get(name) ?? byName.get(`${name}.`);
  if (code) return code;
  const upper = text.trim().toUpperCase();
  return upper === 'UK' ? 'GB' : /^[A-Z]{2}$/.test(upper) && upper in COUNTRY_NAMES ? upper : null;
}

const US_STATES =
  'Alabama:AL|Alaska:AK|Arizona:AZ|Arkansas:AR|California:CA|Colorado:CO|Connecticut:CT|Delaware:DE|District of Columbia:DC|Florida:FL|Georgia:GA|Hawaii:HI|Idaho:ID|Illinois:IL|Indiana:IN|Iowa:IA|Kansas:KS|Kentucky:KY|Louisiana:LA|Maine:ME|Maryland:MD|Massachusetts:MA|Michigan:MI|Minnesota:MN|Mississippi:MS|Missouri:MO|Montana:MT|Nebraska:NE|Nevada:NV|New Hampshire:NH|New Jersey:NJ|New Mexico:NM|New York:NY|North Carolina:NC|North Dakota:ND|Ohio:OH|Oklahoma:OK|Oregon:OR|Pennsylvania:PA|Puerto Rico:PR|Rhode Island:RI|South Carolina:SC|South Dakota:SD|Tennessee:TN|Texas:TX|Utah:UT|Vermont:VT|Virginia:VA|Washington:WA|West Virginia:WV|Wisconsin:WI|Wyoming:WY';
const CA_PROVINCES =
  'Alberta:AB|British Columbia:BC|Manitoba:MB|New Brunswick:NB|Newfoundland:NL|Nova Scotia:NS|Ontario:ON|Prince Edward Island:PE|Quebec:QC|Québec:QC|Saskatchewan:SK|Yukon:YT';
const AU_STATES =
  'New South Wales:NSW|Victoria:VIC|Queensland:QLD|South Australia:SA|Western Australia:WA|Tasmania:TAS|Northern Territory:NT|Australian Capital Territory:ACT';

const names = (list: string) => list.split('|').map((entry) => entry.split(':') as [string, string]);
const alternatives = (list: string, extra = ''): string =>
  [
    ...names(list).flatMap(([name, code]) => [
      name.replaceAll(' ', '\\s'),
      name.toUpperCase().replaceAll(' ', '\\s'),
      code,
    ]),
    ...extra.split('|').filter(Boolean),
  ]
    .sort((a, b) => b.length - a.length)
    .join('|');

/**
 * For regular expressions with flag `u`, without `i`: `in` and `or` are words, `IN` and `OR` are
 * states.
 */
export const US_STATE = `(?:${alternatives(US_STATES, 'N\\.?Y\\.|N\\.J\\.|D\\.C\\.|N\\.C\\.|S\\.C\\.|N\\.M\\.|Ariz\\.|Az|Calif\\.|Colo\\.|Conn\\.|Fla\\.|Fl|Ill\\.|Mass\\.|Mich\\.|Minn\\.|Penn\\.|Tx|Tex\\.|Wash\\.|Wis\\.|Ca|Ny|Nj|Pa|Ga|Il')})`;
export const CA_PROVINCE = `(?:${alternatives(CA_PROVINCES, 'B\\.C\\.|Ont\\.?|PQ|Que\\.?|Alta\\.?|N\\.S\\.')})`;
export const AU_STATE = `(?:${alternatives(AU_STATES, 'Vic|Qld|Tas')})`;

export const isUsState = (text: string): boolean => new RegExp(`^${US_STATE}$`, 'u').test(text.trim());

/** Counties of Britain and Ireland, written between town and postcode. */
export const COUNTY =
  /^(?:(?:co\.?|county)\s\p{L}{3,12}|avon|bedfordshire|beds|berkshire|berks|bucks|buckinghamshire|cambridgeshire|cambs|cheshire|cleveland|cornwall|cumbria|derbyshire|devon|dorset|durham|essex|gloucestershire|glos|greater london|greater manchester|gwent|gwynedd|hampshire|hants|herefordshire|hertfordshire|herts|humberside|isle of wight|kent|lancashire|lancs|leicestershire|leics|lincolnshire|lincs|merseyside|middlesex|middx|norfolk|northamptonshire|northants|northumberland|nottinghamshire|notts|oxfordshire|oxon|powys|rutland|shropshire|somerset|staffordshire|staffs|suffolk|surrey|sussex|(?:east|west)\ssussex|tyne\s(?:&|and)\swear|warwickshire|west midlands|wiltshire|wilts|worcestershire|worcs|(?:north|south|west|east)\s(?:yorkshire|riding)|yorkshire|fife|aberdeenshire|ayrshire|lanarkshire|clwyd|dyfed|(?:mid|south|west)\sglamorgan)\.?$/iu;

/**
 * Country-code domains that indicate a country, without the ones in generic use (such as `.io`).
 */
export const TOP_LEVEL_COUNTRY: Record<string, string> = Object.fromEntries(
  'au at be bg br ca ch cl cn cz de dk ee es fi fr gr hk hr hu id ie il in is it jp ke kr lt lu lv ma mx my ng nl no nz pe ph pk pl pt ro rs ru se sg si sk th tr tw ua us vn za ae sa eg cy mt ar li'
    .split(' ')
    .map((code) => [code, code.toUpperCase()] as const)
    .concat([['uk', 'GB'] as const]),
);
