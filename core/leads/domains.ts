import { getDomain } from 'tldts';
import { parseUrl } from '../parse-url.ts';

/**
 * The key of a lead: its registrable domain, or host and port if there is none (an IP address,
 * `localhost`). Hosting platforms count as public suffixes: `acme.github.io` and `other.github.io`
 * are two businesses.
 *
 * @returns null if it is not an http(s) URL
 */
export function siteKey(url: string): string | null {
  const parsed = parseUrl(url);
  if (!parsed) return null;
  const { protocol, hostname, host } = parsed;
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  return registrableDomain(hostname) ?? host;
}

const registrableDomain = (hostname: string): string | null =>
  getDomain(hostname, { allowPrivateDomains: true });

/** The URL of a site's home page. */
export const homePageOf = (url: string): string => new URL('/', url).href;

/**
 * Whether a URL belongs to a site about many businesses: networks, directories, marketplaces,
 * encyclopaedias, news, job boards. Search results are full of them; a lead from one would have the
 * directory's own e-mail address.
 */
export function isAggregatorSite(url: string): boolean {
  const key = siteKey(url);
  if (key === null) return true;
  // The name decides, under any suffix: `yelp.de`, `yelp.co.uk`.
  const [name = ''] = key.split('.');
  return ABOUT_OTHERS.has(key) || ABOUT_OTHERS_ANYWHERE.has(name);
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const ABOUT_OTHERS_ANYWHERE = words(`
  facebook instagram twitter linkedin xing youtube tiktok pinterest google bing yahoo duckduckgo amazon ebay wikipedia wikidata
  tripadvisor yelp trustpilot provenexpert glassdoor indeed kununu stepstone monster craigslist groupon foursquare kompass europages
  cylex infobel gelbeseiten yellowpages pagesjaunes paginegialle paginasamarillas pagesdor goudengids herold doctolib jameda zocdoc
  thumbtack angi houzz booking airbnb opentable crunchbase zoominfo dnb northdata manta hotfrog yell yandex brave ecosia startpage
  bark clutch apollo reddit quora medium wlw immobilienscout24 autoscout24 mobile
`);

const ABOUT_OTHERS = words(`
  x.com t.me wa.me fb.me fb.com bit.ly goo.gl youtu.be vimeo.com github.com apple.com 11880.com dasoertliche.de dastelefonbuch.de
  meinestadt.de golocal.de branchenbuch.de firmenwissen.de unternehmensregister.de bundesanzeiger.de companyhouse.de local.ch
  search.ch firmenabc.at wko.at societe.com verif.com 192.com bbb.org superpages.com yellow.com.au truelocal.com.au justdial.com
  indiamart.com gov.uk europa.eu nytimes.com spiegel.de openstreetmap.org mapquest.com waze.com whatsapp.com telegram.org archive.org
  zoominfo.com rocketreach.co lusha.com signalhire.com
`);
