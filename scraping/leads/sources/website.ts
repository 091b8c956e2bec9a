import { siteKey } from '../../../core/leads/domains.ts';
import type { Source } from './source.ts';

/** The sites in the job's `urls`. */
export const website: Source = {
  name: 'website',
  async *discover({ urls }) {
    for (const url of urls) {
      if (siteKey(url) !== null) yield { source: 'website', url, name: null, observations: [] };
    }
  },
};
