/**
 * Domains of hosts, payment services, authorities and networks whose e-mail addresses stand on
 * other sites' imprints and privacy pages. The name decides, under any suffix.
 */
const SERVICES = new Set(
  `ovh ovhcloud ionos 1und1 1and1 oneandone strato hetzner all-inkl kasserver o2switch infomaniak gandi hostinger hosteurope
  domainfactory df mittwald webgo raidboxes siteground godaddy secureserver bluehost dreamhost hostgator namecheap netcup
  one loopia transip aruba register siteground squarespace wix jimdo shopify weebly webflow wordpress automattic cloudflare
  paypal klarna stripe adyen mollie sumup payone worldpay braintree sofort giropay computop
  google facebook fb meta instagram twitter linkedin xing pinterest tiktok youtube microsoft apple amazon
  hotjar hubspot mailchimp sendinblue brevo cleverreach rapidmail newsletter2go getresponse usercentrics cookiebot onetrust borlabs
  matomo etracker econda criteo taboola outbrain doubleclick trustedshops trustpilot protectedshops haendlerbund it-recht-kanzlei
  sentry wixpress zendesk intercom freshdesk`.split(/\s+/),
);

const AUTHORITIES =
  /(?:^|\.)(?:bfdi\.bund\.de|lda\.bayern\.de|datenschutz[a-z-]*\.[a-z.-]+|(?:[a-z]+\.)?datenschutz\.[a-z.-]+|ldi\.nrw\.de|lfdi?\.[a-z-]+\.de|baden-wuerttemberg\.datenschutz\.de|sdb\.sachsen\.de|lfd\.[a-z-]+\.de|tlfdi\.de|cnil\.fr|ico\.org\.uk|ico\.gov\.uk|casework\.ico\.org\.uk|dsb\.gv\.at|gpdp\.it|garanteprivacy\.it|autoriteitpersoonsgegevens\.nl|aepd\.es|agpd\.es|edoeb\.admin\.ch|uoou\.(?:cz|gov\.cz)|uodo\.gov\.pl|cnpd\.(?:pt|lu|public\.lu)|apd-gba\.be|dataprotection\.ie|datatilsynet\.(?:dk|no)|imy\.se|tietosuoja\.fi|naih\.hu|dpa\.gr|dataprotection\.gov\.sk|dataprotection\.ro|azop\.hr|ip-rs\.si|edps\.europa\.eu|europa\.eu|verbraucher-schlichter\.de|universalschlichtungsstelle\.de|schlichtungsstelle[a-z-]*\.(?:de|org)|schlichtung[a-z-]*\.(?:de|at)|versicherungsombudsmann\.de|pkv-ombudsmann\.de|bafin\.de|[a-z-]*mediat[a-z-]*(?:-conso|conso|consommation)[a-z-]*\.(?:fr|eu|com|net)|cm2c\.net|mediateur[a-z-]*\.(?:fr|com)|medicys\.fr|anm-conso\.com|ombudsman[a-z-]*\.[a-z.]+|financial-ombudsman\.org\.uk|geschillencommissie\.nl|sgc\.nl)$/;

/** Whether an e-mail address is of a service or authority that other sites name. */
export function isThirdPartyAddress(address: string, ownDomain: string | null): boolean {
  const host = address.slice(address.lastIndexOf('@') + 1);
  if (ownDomain !== null && (host === ownDomain || host.endsWith(`.${ownDomain}`))) return false;
  if (AUTHORITIES.test(host)) return true;
  const labels = host.split('.');
  const name = labels.length > 2 && SECOND_LEVEL.has(labels.at(-2) ?? '') ? labels.at(-3) : labels.at(-2);
  return SERVICES.has(name ?? '') && !MAILBOXES.has(host);
}

const SECOND_LEVEL = new Set(['co', 'com', 'org', 'net', 'gov', 'ac']);
/** Domains of services that also give mailboxes to anyone. */
const MAILBOXES = new Set(['1und1.de', 'wanadoo.fr', 'aruba.it', 'one.com']);
