import { parseUrl } from '../../../core/parse-url.ts';
import type { Entity } from './entities.ts';
import { propertyTexts } from './entities.ts';
import type { Finding } from './finding.ts';
import { metaContent, type PageElements } from './page-elements.ts';
import { excerpt } from './snippet.ts';

/** Social profiles that a page links to or names as its own. */
export function findSocials(
  page: PageElements,
  entities: readonly Entity[],
  ownDomain: string | null,
): Finding[] {
  const found: Finding[] = [];
  const add = (url: string, method: string, snippet: string, confidence: number) => {
    const profile = socialProfile(url);
    if (!profile) return;
    const sameName =
      ownDomain !== null && squashed(profile.url).includes(squashed(ownDomain.split('.')[0] ?? ''));
    found.push({
      field: 'social',
      network: profile.network,
      value: profile.url,
      method,
      snippet: excerpt(snippet),
      confidence: Math.min(0.98, confidence + (sameName ? 0.08 : 0)),
    });
  };
  for (const entity of entities)
    for (const url of entity.role === 'author' ? [] : propertyTexts(entity, 'sameAs'))
      add(url, entity.method, url, 0.9);
  for (const link of page.links) {
    const href = link.getAttribute('href') ?? '';
    if (!/^https?:/i.test(href) || !socialProfile(href)) continue;
    // A profile linked in running text may belong to a third party.
    const inText = link.parentElement?.tagName === 'P' || link.closest('article, blockquote') !== null;
    add(href, 'link', link.textContent?.trim() || link.getAttribute('title') || href, inText ? 0.6 : 0.8);
  }
  const handle = metaContent(page, 'twitter:site');
  if (handle && /^@\w{1,15}$/.test(handle.trim()))
    add(`https://x.com/${handle.trim().slice(1)}`, 'twitter_card', handle, 0.85);
  for (const name of ['article:publisher', 'og:see_also']) {
    const url = metaContent(page, name);
    if (url) add(url, 'open_graph', url, 0.85);
  }
  return found;
}

const squashed = (text: string): string => text.toLowerCase().replace(/[^a-z\d]/g, '');

interface Network {
  hosts: RegExp;
  /** Matches the path of a profile; the first group is its name. */
  profile: RegExp;
  /** Names that the network uses for itself. */
  not?: RegExp;
  url(name: string): string;
}

const HANDLE = '([\\w.\\-%]{2,80})';
const NETWORKS: Record<string, Network> = {
  linkedin: {
    hosts: /^(?:[a-z]{2,3}\.)?linkedin\.com$/,
    profile: /^\/((?:company|school|showcase|in|company-beta)\/[^/]{2,120})/,
    not: /^(?:company|school|in)\/(?:unavailable|setup|login)/,
    url: (name) => `https://www.linkedin.com/${name.replace('company-beta/', 'company/')}`,
  },
  x: {
    hosts: /^(?:mobile\.|m\.)?(?:twitter|x)\.com$/,
    profile: /^\/(?:#!\/)?@?(\w{1,15})$/,
    not: /^(?:share|intent|home|search|hashtag|i|login|signup|about|privacy|tos|widgets|goodies|account|statuses|status|oauth|explore|settings|jobs|download|twitter)$/i,
    url: (name) => `https://x.com/${name.toLowerCase()}`,
  },
  facebook: {
    hosts: /^(?:[a-z]{1,3}(?:-[a-z]{2})?\.|business\.|mobile\.)?(?:facebook|fb)\.com$/,
    profile:
      /^\/((?:pages\/(?:category\/)?[^/]{1,120}\/[^/]{1,120}(?:\/\d+)?|pg\/[^/]{2,100}|groups\/[^/]{2,100}|people\/[^/]{1,100}\/\d+|profile\.php\?id=\d+|[\w.\-%]{3,100}))/,
    not: /^(?:sharer|share|dialog|plugins|login|home|help|policies|privacy|legal|tr|events|photo|photos|watch|hashtag|marketplace|groups|pages|story|permalink|l|media|ads|business|settings|recover|v\d|2008|sharer\.php|share\.php|login\.php|home\.php|photo\.php|recover|connect|about|terms|reel|video|videos|note|notes|facebook|profile)(?:\.php)?$/i,
    url: (name) => `https://www.facebook.com/${name.replace(/^pg\//, '')}`,
  },
  instagram: {
    hosts: /^instagram\.com$/,
    profile: new RegExp(`^/${HANDLE}$`),
    not: /^(?:p|explore|accounts|reel|reels|stories|tv|about|developer|legal|share|direct)$/i,
    url: (name) => `https://www.instagram.com/${name.toLowerCase()}`,
  },
  youtube: {
    hosts: /^(?:m\.)?youtube\.com$/,
    profile: /^\/((?:@[\w.\-%]{2,100}|(?:channel|c|user)\/[\w.\-%]{2,100}|[\w-]{3,60}))/,
    not: /^(?:watch|embed|playlist|results|feed|shorts|live|v|t|about|account|subscription_center|redirect|premium|channel|user|c|iframe_api|creators|ads|howyoutubeworks|gaming|yt|s|player_api|attribution_link|oembed|hashtag|index)$/i,
    url: (name) => `https://www.youtube.com/${name}`,
  },
  tiktok: {
    hosts: /^(?:m\.)?tiktok\.com$/,
    profile: /^\/(@[\w.]{2,30})/,
    url: (name) => `https://www.tiktok.com/${name.toLowerCase()}`,
  },
  github: {
    hosts: /^github\.com$/,
    profile: /^\/([a-z\d](?:[a-z\d-]{0,38}))$/i,
    not: /^(?:about|features|pricing|login|join|site|contact|security|topics|sponsors|marketplace|explore|orgs|search|settings|apps|enterprise|team|customer-stories|readme|collections|trending|events|github)$/i,
    url: (name) => `https://github.com/${name.toLowerCase()}`,
  },
  pinterest: {
    hosts: /^(?:[a-z]{2}\.)?pinterest\.(?:com|[a-z]{2}|co\.uk|com\.au)$/,
    profile: /^\/(\w{3,60})$/,
    not: /^(?:pin|ideas|search|about|login|business|today|settings|categories|join)$/i,
    url: (name) => `https://www.pinterest.com/${name.toLowerCase()}`,
  },
  xing: {
    hosts: /^xing\.com$/,
    profile: /^\/((?:companies|company|pages|profile|net)\/[\w.\-%]{2,100})/,
    url: (name) => `https://www.xing.com/${name}`,
  },
  vimeo: {
    hosts: /^vimeo\.com$/,
    profile: /^\/((?:channels\/)?[a-z][\w-]{2,60})$/i,
    not: /^(?:watch|upload|login|join|about|features|categories|blog|help|channels|ondemand|groups|album|home)$/i,
    url: (name) => `https://vimeo.com/${name.toLowerCase()}`,
  },
  threads: {
    hosts: /^threads\.(?:net|com)$/,
    profile: /^\/(@[\w.]{2,30})$/,
    url: (name) => `https://www.threads.net/${name.toLowerCase()}`,
  },
  telegram: {
    hosts: /^(?:t\.me|telegram\.me)$/,
    profile: /^\/(?:s\/)?(\w{4,32})$/,
    not: /^(?:share|joinchat|addstickers|proxy|socks|iv)$/i,
    url: (name) => `https://t.me/${name}`,
  },
  bluesky: {
    hosts: /^bsky\.app$/,
    profile: /^\/profile\/([\w.:-]{4,80})$/,
    url: (name) => `https://bsky.app/profile/${name.toLowerCase()}`,
  },
  yelp: {
    hosts: /^(?:[a-z]{2}\.)?yelp\.(?:com|ca|ie|de|fr|it|es|nl|at|co\.uk|com\.au)$/,
    profile: /^\/biz\/([\w\-%]{3,120})/,
    url: (name) => `https://www.yelp.com/biz/${name}`,
  },
};

/** Cheap test first: most links lead elsewhere. */
const MAY_BE_ONE =
  /^https?:\/\/[a-z.-]{0,16}(?:linkedin|twitter|x\.com|facebook|fb\.com|instagram|youtube|tiktok|github|pinterest|xing|vimeo|threads|t\.me|telegram|bsky|yelp)/i;

/**
 * The canonical profile URL of a link. Null for links that share, like, log in or show a single
 * post.
 */
export function socialProfile(link: string): { network: string; url: string } | null {
  const parsed = MAY_BE_ONE.test(link) ? parseUrl(link) : null;
  if (!parsed) return null;
  const { hostname, pathname, hash, search } = parsed;
  const host = hostname.toLowerCase().replace(/^www\./, '');
  for (const [network, { hosts, profile, not, url }] of Object.entries(NETWORKS)) {
    if (!hosts.test(host)) continue;
    const path =
      pathname === '/' && hash.startsWith('#!/')
        ? hash.slice(2)
        : pathname.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
    const id = /^\/profile\.php$/.test(path) ? /[?&]id=(\d+)/.exec(search)?.[1] : undefined;
    const name = profile.exec(id ? `/profile.php?id=${id}` : path)?.[1];
    if (!name || (not?.test(name) ?? false)) return null;
    return { network, url: url(name) };
  }
  return null;
}
