import Bowser from 'bowser';
import { LRUCache } from 'lru-cache';

/** A `User-Agent` header reduced to countable values. */
export interface UserAgent {
  /** `Firefox`, `Chrome`, `curl`; `Unknown`. */
  family: string;
  /** `desktop`, `mobile`, `tablet`, …; null if unknown. */
  device: string | null;
}

/** Few distinct values occur, and parsing one takes longer than storing its click. */
const known = new LRUCache<string, UserAgent>({ max: 10_000 });
const UNKNOWN: UserAgent = { family: 'Unknown', device: null };

export function readUserAgent(text: string | null): UserAgent {
  if (!text) return UNKNOWN;
  let agent = known.get(text);
  if (!agent) {
    agent = parse(text);
    known.set(text, agent);
  }
  return agent;
}

/**
 * A robot is named by its own product, also in a browser's string: `Mozilla/5.0 (compatible;
 * ExampleBot/2.0)`.
 */
function parse(text: string): UserAgent {
  const { browser, platform } = Bowser.parse(text);
  const robot = /\b([\w.-]*(?:bot|crawler|spider)[\w.-]*)/i.exec(text)?.[1];
  const product = /^([\w.-]+)(?:\/|$)/.exec(text)?.[1];
  const family = robot || browser.name || product || 'Unknown';
  return { family: family.slice(0, 60), device: platform.type || null };
}
