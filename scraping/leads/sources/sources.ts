import type { SourceType } from '../../../core/leads/lead.ts';
import type { LeadSources } from '../../../runtime/settings/config.ts';
import { createBing } from './bing.ts';
import type { Directory } from './directories-file.ts';
import { createDirectory } from './directory.ts';
import { createDuckDuckGo, duckDuckGoEngine } from './duckduckgo.ts';
import { createGoogle, googleEngine } from './google.ts';
import { createLinkedIn } from './linkedin.ts';
import { createOpenStreetMap } from './openstreetmap.ts';
import type { SearchEngine } from './search-results.ts';
import { createSearxng, searxngEngine } from './searxng.ts';
import type { LeadQuery, Source } from './source.ts';
import { website } from './website.ts';

/** Base URLs and keys of the sources, and the declared directories. */
export interface SourceOptions extends LeadSources {
  directories: readonly Directory[];
}

export type Sources = Readonly<Record<SourceType, Source>>;

export function createSources(options: SourceOptions): Sources {
  const google = {
    ...{ url: options.googleUrl, apiUrl: options.googleApiUrl },
    ...{ apiKey: options.googleApiKey, cx: options.googleCx },
  };
  return {
    website,
    google: createGoogle(google),
    linkedin: createLinkedIn({ url: options.linkedinUrl, engine: profileEngine(options, google) }),
    bing: createBing({ url: options.bingUrl }),
    duckduckgo: createDuckDuckGo({ url: options.duckDuckGoUrl }),
    searxng: createSearxng({ url: options.searxngUrl }),
    openstreetmap: createOpenStreetMap({ url: options.overpassUrl }),
    directory: createDirectory(options.directories),
  };
}

/** A configured API is preferred over a page that may show a captcha. */
function profileEngine(options: SourceOptions, google: Parameters<typeof googleEngine>[0]): SearchEngine {
  if (options.googleApiKey && options.googleCx) return googleEngine(google);
  if (options.searxngUrl) return searxngEngine(options.searxngUrl);
  return duckDuckGoEngine(options.duckDuckGoUrl);
}

/**
 * The sources of a job that names none. A job with only URLs: `website`. Otherwise `website` if it
 * has URLs, the configured search sources (Google's API, SearXNG, directories) or else DuckDuckGo,
 * and OpenStreetMap if industry and place are known.
 */
export function defaultSources(query: LeadQuery, options: SourceOptions): SourceType[] {
  const describes = query.text !== '';
  if (!describes) return ['website'];
  const chosen: SourceType[] = query.urls.length > 0 ? ['website'] : [];
  if (options.googleApiKey && options.googleCx) chosen.push('google');
  if (options.searxngUrl) chosen.push('searxng');
  if (options.directories.length > 0) chosen.push('directory');
  if (!chosen.some((source) => source !== 'website')) chosen.push('duckduckgo');
  if (query.industry !== null && query.geography !== null) chosen.push('openstreetmap');
  return chosen;
}
