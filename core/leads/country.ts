import { fold } from '../text.ts';

/**
 * ISO 3166-1 alpha-2 code of a country, from its name in a dozen languages or its code; null if it
 * is not a country. Names come from the runtime's CLDR tables: `Germany`, `Deutschland`,
 * `Allemagne` and `DE` are `DE`.
 */
export function countryCode(text: string): string | null {
  const name = folded(text);
  if (name === '') return null;
  return ALIASES[name] ?? countryNames().get(name) ?? null;
}

/**
 * The country of a search's `geography`: from its last part that names a country, a US state, a
 * nation of the United Kingdom or a well-known city. Null if ambiguous, as in `Springfield`: a
 * wrong country would make wrong phone numbers.
 */
export function countryOfGeography(geography: string | undefined): string | null {
  const parts = (geography ?? '')
    .split(/[,;/()]|\s-\s|\bin\b/)
    .map((part) => part.trim())
    .filter(Boolean);
  for (const [index, part] of [...parts.entries()].reverse()) {
    const isAbbreviation = /^[A-Z]{2}$/.test(part);
    // `Austin, TX` is a state; `Berlin, DE` could be Delaware, so an ambiguous abbreviation is
    // skipped.
    if (isAbbreviation && index > 0 && STATES_OF_USA.has(part)) {
      if (countryCode(part) === null) return 'US';
      continue;
    }
    const found = countryCode(part) ?? regionOf(part);
    if (found) return found;
  }
  return null;
}

const regionOf = (part: string): string | null => REGIONS.get(folded(part)) ?? null;

/** Whether a name is one of the large cities that searches name; regions are not. */
export const isKnownCity = (name: string): boolean =>
  REGIONS.has(folded(name)) && !PROVINCES.has(folded(name));

const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'cs', 'da', 'sv', 'nb', 'fi', 'tr'];

const ALIASES: Record<string, string> = {
  usa: 'US',
  'u s a': 'US',
  'u s': 'US',
  america: 'US',
  uk: 'GB',
  'u k': 'GB',
  'great britain': 'GB',
  britain: 'GB',
  england: 'GB',
  scotland: 'GB',
  wales: 'GB',
  'northern ireland': 'GB',
  holland: 'NL',
  uae: 'AE',
  'czech republic': 'CZ',
  'south korea': 'KR',
};

let names: Map<string, string> | undefined;

/** Built on first use: some thousand names, in a few milliseconds. */
function countryNames(): Map<string, string> {
  if (names) return names;
  names = new Map();
  const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
  for (const language of LANGUAGES) {
    const regions = new Intl.DisplayNames(language, { type: 'region', fallback: 'none' });
    for (const first of letters) {
      for (const second of letters) {
        const code = first + second;
        if (NOT_COUNTRIES.has(code)) continue;
        const name = regions.of(code);
        if (!name) continue;
        names.set(folded(code), code);
        if (!names.has(folded(name))) names.set(folded(name), code);
      }
    }
  }
  return names;
}

/** Codes in CLDR that are not ISO 3166-1 countries: unions, pseudo-regions and former countries. */
const NOT_COUNTRIES: ReadonlySet<string> = new Set(
  'AC AN BU CP CQ CS CT DD DG DY EA EU EZ FQ FX HV IC JT MI NH NQ NT PC PU PZ QO QU RH SU TA TP UK UN VD WK XA XB YD YU ZR ZZ'.split(
    ' ',
  ),
);

/** Lower case, without accents and punctuation. */
const folded = (text: string): string =>
  fold(text)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/^(the|die|der|das|les?|la|el|los)\s+/, '')
    .trim();

const STATES_OF_USA: ReadonlySet<string> = new Set(
  'AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC'.split(
    ' ',
  ),
);

/** Cities that searches name without their country. Each name is unambiguous among large cities. */
const REGIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    US: 'alabama,alaska,arizona,arkansas,california,colorado,connecticut,delaware,florida,hawaii,idaho,illinois,indiana,iowa,kansas,kentucky,louisiana,maine,maryland,massachusetts,michigan,minnesota,mississippi,missouri,montana,nebraska,nevada,new hampshire,new jersey,new mexico,new york,north carolina,north dakota,ohio,oklahoma,oregon,pennsylvania,rhode island,south carolina,south dakota,tennessee,texas,utah,vermont,virginia,west virginia,wisconsin,wyoming,new york city,nyc,los angeles,chicago,houston,san francisco,seattle,boston,miami,dallas,austin,denver,atlanta,philadelphia,las vegas',
    GB: 'london,manchester,birmingham,leeds,glasgow,edinburgh,liverpool,bristol,sheffield,cardiff,belfast',
    DE: 'berlin,hamburg,munich,munchen,muenchen,cologne,koln,koeln,frankfurt,frankfurt am main,stuttgart,dusseldorf,duesseldorf,leipzig,dortmund,essen,bremen,dresden,hannover,hanover,nuremberg,nurnberg,nuernberg,bavaria,bayern,saxony,sachsen,hessen,nordrhein westfalen,baden wurttemberg',
    FR: 'paris,lyon,marseille,toulouse,bordeaux,lille,nantes,strasbourg,nice,montpellier',
    ES: 'madrid,barcelona,valencia,seville,sevilla,bilbao,malaga,zaragoza,catalonia',
    IT: 'rome,roma,milan,milano,naples,napoli,turin,torino,florence,firenze,bologna,venice,venezia',
    NL: 'amsterdam,rotterdam,utrecht,eindhoven,den haag,hague',
    BE: 'brussels,bruxelles,brussel,antwerp,antwerpen,ghent,gent',
    AT: 'vienna,wien,graz,salzburg,innsbruck,linz',
    CH: 'zurich,geneva,geneve,genf,basel,bern,lausanne',
    PL: 'warsaw,warszawa,krakow,wroclaw,gdansk,poznan',
    CZ: 'prague,praha,brno',
    PT: 'lisbon,lisboa,porto',
    SE: 'stockholm,goteborg,gothenburg,malmo',
    DK: 'copenhagen,kobenhavn,aarhus',
    NO: 'oslo,bergen,trondheim',
    FI: 'helsinki,tampere,espoo',
    IE: 'dublin,cork,galway',
    GR: 'athens,thessaloniki',
    CA: 'toronto,montreal,vancouver,ottawa,calgary,ontario,quebec,british columbia,alberta',
    AU: 'sydney,melbourne,brisbane,perth,adelaide,new south wales,queensland',
    NZ: 'auckland,wellington,christchurch',
    JP: 'tokyo,osaka,kyoto',
    IN: 'mumbai,delhi,new delhi,bangalore,bengaluru,chennai,hyderabad,pune',
    BR: 'sao paulo,rio de janeiro,brasilia',
    MX: 'mexico city,ciudad de mexico,guadalajara,monterrey',
    AE: 'dubai,abu dhabi',
  }).flatMap(([country, places]) => places.split(',').map((place) => [place, country] as const)),
);

/** Those of `REGIONS` that are no city. */
const PROVINCES: ReadonlySet<string> = new Set(
  'alabama,alaska,arizona,arkansas,california,colorado,connecticut,delaware,florida,hawaii,idaho,illinois,indiana,iowa,kansas,kentucky,louisiana,maine,maryland,massachusetts,michigan,minnesota,mississippi,missouri,montana,nebraska,nevada,new hampshire,new jersey,new mexico,new york,north carolina,north dakota,ohio,oklahoma,oregon,pennsylvania,rhode island,south carolina,south dakota,tennessee,texas,utah,vermont,virginia,west virginia,wisconsin,wyoming,bavaria,bayern,saxony,sachsen,hessen,nordrhein westfalen,baden wurttemberg,catalonia,ontario,quebec,british columbia,alberta,new south wales'.split(
    ',',
  ),
);
