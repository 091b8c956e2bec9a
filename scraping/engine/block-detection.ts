import type { HtmlSignals } from '../response/html-signals.ts';

/**
 * Bot checks and consent walls. They are detected and reported, or loaded in a browser; never
 * circumvented.
 */

interface Answered {
  url: string;
  status: number;
  headers: Readonly<Record<string, string>>;
  html: string;
}

/**
 * The vendor of a bot check that must run a script before it shows the page; null if there is none.
 */
export function detectBlock({ status, headers, html }: Answered, signals: HtmlSignals): string | null {
  if (headers['cf-mitigated'] === 'challenge') return 'cloudflare';
  if (/^(challenge|captcha)$/.test(headers['x-amzn-waf-action'] ?? '')) return 'aws';
  // Vendors' scripts are in ordinary pages too: it is a check only if there is hardly any other
  // text.
  if (status < 400 && signals.textLength > MOST_TEXT) return null;
  const beginning = html.slice(0, 200_000);
  return MARKS.find(([, mark]) => mark.test(beginning))?.[0] ?? null;
}

const MOST_TEXT = 800;

const MARKS: readonly (readonly [string, RegExp])[] = [
  [
    'cloudflare',
    /_cf_chl_opt|\/cdn-cgi\/challenge-platform\/(?:h\/[^"']{0,100}\/)?orchestrate|<title>Just a moment\.\.\.<\/title>/,
  ],
  ['aws', /awsWafCookieDomainList|\.awswaf\.com\/|AwsWafIntegration/],
  ['datadome', /captcha-delivery\.com|\bvar dd\s*=\s*\{\s*'rt'/],
  ['akamai', /sec-if-cpt-container|\/_sec\/cp_challenge\/|bm-verify/],
  ['imperva', /_Incapsula_Resource|Incapsula incident ID/],
  ['perimeterx', /px-captcha|_pxAppId|captcha\.px-cdn\.net/],
  ['sucuri', /sucuri_cloudproxy_js/],
  ['ddos-guard', /ddos-guard\.net|\/\.well-known\/ddos-guard\//],
  ['siteground', /\/\.well-known\/(?:sg)?captcha\//],
  ['anubis', /anubis_challenge|\/\.within\.website\/x\/cmd\/anubis\//],
  ['vercel', /\/\.well-known\/vercel\/security\//],
  ['testcookie', /slowAES\.decrypt|toNumbers\("[0-9a-f]{32}"\)/],
];

/** A page that asks for consent before it shows its content; scripts handle the answer. */
export function isConsentWall({ url }: Pick<Answered, 'url'>, signals: HtmlSignals): boolean {
  if (/^(consent|guce|cmp|consentement)\./.test(new URL(url).hostname)) return true;
  return (
    signals.executableScripts > 0 &&
    signals.textLength < MOST_TEXT &&
    CONSENT.test(`${signals.title} ${signals.text}`)
  );
}

const CONSENT =
  /\b(accept (all|cookies)|we value your privacy|before you continue|cookie[- ]consent|reject all|alle akzeptieren|tout accepter|aceptar todo|accetta tutto|alles accepteren|zaakceptuj wszystko)\b/i;
