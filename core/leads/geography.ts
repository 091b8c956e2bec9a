import { foldNames } from '../text.ts';
import { countryCode, countryOfGeography, isKnownCity } from './country.ts';
import type { Lead } from './lead.ts';

/**
 * Whether a lead lies in the place of its search; null if that is not known. A business is elsewhere
 * if its addresses are all in other countries, or all in other towns than the town that was named.
 * A region's towns are not known, so of a region only its name counts.
 */
export function isInGeography({ addresses }: Pick<Lead, 'addresses'>, geography: string): boolean | null {
  const country = countryOfGeography(geography);
  const known = addresses.filter(
    (address) => country === null || address.country === null || address.country === country,
  );
  if (addresses.length > 0 && known.length === 0) return false;
  const place = placeOf(geography);
  if (place === null) return known.some((address) => address.country === country) ? true : null;
  const isThere = known.some(({ city, region, text }) =>
    [city, region, text].some((part) => part !== null && names(part, place.name)),
  );
  if (isThere) return true;
  const towns = known.map(({ city }) => city);
  return place.isTown && towns.length > 0 && towns.every((town) => town !== null) ? false : null;
}

/** The place before the country: `Leeds` of `Leeds, UK`. Null if only a country is named. */
function placeOf(geography: string): { name: string; isTown: boolean } | null {
  const parts = geography
    .split(/[,;/()]|\s-\s/)
    .map((part) => part.trim())
    .filter(Boolean);
  const [name] = parts;
  if (name === undefined || countryCode(name) !== null) return null;
  // `Springfield, IL`: with its state it is a town.
  const isWithState = parts.length > 1 && /^[A-Z]{2}$/.test(parts[1] ?? '');
  return { name, isTown: isWithState || isKnownCity(name) };
}

function names(text: string, place: string): boolean {
  const [long, short] = [` ${foldNames(text)} `, foldNames(place)];
  return short !== '' && (SPELLINGS.get(short) ?? [short]).some((spelling) => long.includes(` ${spelling} `));
}

/** Names of one town in several languages, folded. */
const SPELLINGS: ReadonlyMap<string, readonly string[]> = new Map(
  `munich munchen muenchen;cologne koln koeln;nuremberg nurnberg nuernberg;dusseldorf duesseldorf;hanover hannover;vienna wien;
  zurich zuerich;geneva geneve genf;basel bale;brussels bruxelles brussel;antwerp antwerpen anvers;ghent gent gand;rome roma;
  milan milano;naples napoli;turin torino;florence firenze;venice venezia;seville sevilla;lisbon lisboa;porto oporto;
  warsaw warszawa;krakow cracow;prague praha prag;copenhagen kobenhavn;gothenburg goteborg;athens athina;moscow moskva;
  bangalore bengaluru;mumbai bombay;lyon lyons;marseille marseilles;strasbourg strassburg;luxembourg luxemburg;nice nizza`
    .split(';')
    .flatMap((group) => {
      const spellings = group.trim().split(/\s+/);
      return spellings.map((name) => [name, spellings] as const);
    }),
);
