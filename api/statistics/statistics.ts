import { LRUCache } from 'lru-cache';
import type { JobStatus } from '../../core/jobs/job-status.ts';
import { linkStatsQuery, statsQuery } from '../../core/links/link-schemas.ts';
import { ALL_USERS, HOUR_COUNTS, percentileOf } from '../../core/statistics.ts';
import type { Sql } from '../../db/connect.ts';
import { countUnfinished } from '../../db/jobs/read.ts';
import { type ClickCounts, readClickStats } from '../../db/links/clicks.ts';
import { countUnfinishedForUser, type JobStats, readJobStats } from '../../db/statistics.ts';
import { requireScope } from '../http/access.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { readQuery } from '../http/validation.ts';
import { ownLink } from '../links/links.ts';
import { rangeOf } from './statistics-range.ts';

/**
 * Statistics from the roll-ups that the analytics worker writes: a few seconds old, at a cost that
 * does not grow with the data.
 */

/** `GET /links/{code}/stats`. */
export const showLinkStats =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { range, starts } = rangeOf(readQuery(request, linkStatsQuery), new Date());
    const link = await ownLink(sql, request, response);
    const { totals, series, top } = await readClickStats(sql, link.id, { ...range, starts });
    const named = (kind: string, name: string) =>
      (top.get(kind) ?? []).map(({ value, clicks }) => ({ [name]: value || null, clicks }));
    sendJson(response, 200, {
      code: link.code,
      ...range,
      total_clicks: clicksOf(totals),
      people_clicks: totals.human_clicks,
      bot_clicks: totals.bot_clicks,
      head_requests: totals.head_requests,
      unique_visitors: totals.visitors,
      top_referrers: named('referrer', 'referrer'),
      top_user_agents: named('user_agent', 'user_agent'),
      top_devices: named('device', 'device'),
      top_countries: named('country', 'country'),
      top_bots: named('bot', 'bot'),
      series: series.map((point) => ({
        at: point.at,
        total_clicks: clicksOf(point),
        people_clicks: point.human_clicks,
        bot_clicks: point.bot_clicks,
        unique_visitors: point.visitors,
      })),
    });
  };

/** HEAD requests are not clicks. */
const clicksOf = ({ human_clicks, bot_clicks }: ClickCounts): number => human_clicks + bot_clicks;

/** Counting reads one index entry per unfinished job, and dashboards poll. */
const COUNT_MS = 5000;

/** `GET /stats`: the caller's jobs; for an admin with `?all=true`, those of all users. */
export const showStats = (sql: Sql): Handler => {
  const counted = new LRUCache<string, Map<JobStatus, number>>({ max: 1000, ttl: COUNT_MS });
  const unfinished = async (userId: string): Promise<Map<JobStatus, number>> => {
    const recent = counted.get(userId);
    if (recent) return recent;
    const counts = await (userId === ALL_USERS ? countUnfinished(sql) : countUnfinishedForUser(sql, userId));
    counted.set(userId, counts);
    return counts;
  };

  return async (request, response) => {
    const query = readQuery(request, statsQuery);
    const all = query.all === 'true';
    if (all) requireScope(response.locals.caller, 'admin');
    const { range, starts } = rangeOf(query, new Date());
    const userId = all ? ALL_USERS : response.locals.caller.userId;
    const [stats, waiting] = await Promise.all([
      readJobStats(sql, userId, { ...range, starts }),
      unfinished(userId),
    ]);
    sendJson(response, 200, { scope: all ? 'all' : 'own', ...range, ...toResponse(stats, waiting, range) });
  };
};

function toResponse(
  { series, histograms, top }: JobStats,
  waiting: Map<JobStatus, number>,
  { from, to }: { from: Date; to: Date },
) {
  const sum = Object.fromEntries(
    HOUR_COUNTS.map((name) => [name, series.reduce((total, point) => total + point[name], 0)]),
  ) as Record<(typeof HOUR_COUNTS)[number], number>;
  const ended = sum.completed + sum.failed;
  const hours = (Math.min(to.getTime(), Date.now()) - from.getTime()) / 3600_000;
  const perHour = (count: number) => (hours > 0 ? Math.round((count / hours) * 100) / 100 : 0);
  const ofKind = (kind: string) => top.filter((row) => row.kind === kind);
  return {
    jobs_by_state: {
      scheduled: waiting.get('scheduled') ?? 0,
      queued: waiting.get('queued') ?? 0,
      running: waiting.get('running') ?? 0,
      retrying: waiting.get('retrying') ?? 0,
      completed: sum.completed,
      failed: sum.failed,
      cancelled: sum.cancelled,
    },
    created: sum.created,
    created_per_hour: perHour(sum.created),
    finished_per_hour: perHour(ended + sum.cancelled),
    success_rate: ended === 0 ? null : sum.completed / ended,
    time_to_start_ms: percentiles(histograms, 'time_to_start'),
    duration_ms: percentiles(histograms, 'duration'),
    pages: sum.pages,
    page_errors: sum.page_errors,
    leads: sum.leads,
    retries: sum.retries,
    errors: ofKind('error').map(({ value, jobs }) => ({ code: value, jobs })),
    sources: ofKind('source').map(({ value, jobs, pages, leads }) => ({ source: value, jobs, pages, leads })),
    hosts: ofKind('host').map(({ value, jobs, pages, leads }) => ({ host: value, jobs, pages, leads })),
    series,
  };
}

function percentiles(histograms: JobStats['histograms'], measure: string) {
  const histogram = histograms.filter((row) => row.measure === measure);
  return {
    p50: percentileOf(histogram, 0.5),
    p95: percentileOf(histogram, 0.95),
    p99: percentileOf(histogram, 0.99),
  };
}
