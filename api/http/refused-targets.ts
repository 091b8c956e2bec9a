import type { z } from 'zod';
import { parseUrl } from '../../core/parse-url.ts';
import {
  type EgressLists,
  parseAllowList,
  parseDenyList,
  refusedTargetOf,
} from '../../runtime/address-policy.ts';

/**
 * Refuses at once what the egress guard would refuse later: URLs whose host is a private address, or
 * one that the operator closed. A name that resolves to one is refused when it is fetched.
 */
export interface RefusedTargets {
  /** The schema, with an error at each of its URLs that would be refused. */
  refuseIn<Body>(schema: z.ZodType<Body>, urlsOf: (body: Body) => UrlField[]): z.ZodType<Body>;
}

export interface UrlField {
  path: (string | number)[];
  url: string;
}

/** @param settings `EGRESS_ALLOW` and `EGRESS_DENY`, as the workers and the notifier have them */
export function createRefusedTargets(settings: { allow: string[]; deny: string[] }): RefusedTargets {
  const lists = { allow: parseAllowList(settings.allow), deny: parseDenyList(settings.deny) };
  return {
    refuseIn: (schema, urlsOf) =>
      schema.superRefine((body, context) => {
        for (const { path, url } of urlsOf(body)) {
          const parsed = parseUrl(url);
          const message = parsed && refusedTargetProblem(parsed, lists);
          if (message) context.addIssue({ code: 'custom', path, message });
        }
      }),
  };
}

export function refusedTargetProblem(url: URL, lists: EgressLists): string | null {
  const target = refusedTargetOf(url, lists);
  switch (target?.kind) {
    case undefined:
      return null;
    case 'denied':
      return `${target.host} is refused: the operator closed it by EGRESS_DENY`;
    case 'private':
      return `${target.host} is not on the public internet (${target.range}): refused unless the operator allows it by EGRESS_ALLOW=${target.entry}`;
  }
}
