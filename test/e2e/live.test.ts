import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DRIVERS, type Fleet, startFleet } from '../support/processes/fleet.ts';
import { startProcess } from '../support/processes/processes.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { openSse } from '../support/sse.ts';

/**
 * A job's life as its user sees it: posted to one API process, run by a worker with a browser,
 * watched on another process.
 */

let site: Site;
let fleet: Fleet;
/** Held answers to requested pages; the test releases them. */
let held: (() => void)[] = [];
beforeEach(async () => {
  held = [];
  const page = '<title>A page</title><main><h1>Hello</h1><p>Some text.</p></main>';
  site = await startSite({
    pages: {
      '/quick': page,
      '/held': (_request, response) => {
        held.push(() => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
      },
    },
  });
});
afterEach(async () => {
  await fleet.stop();
  await site.close();
});

test.each(DRIVERS)(
  'on %s a job is watched from another API process than the one that accepted it',
  async (driver) => {
    fleet = await startFleet({ driver, workers: 1 });
    const other = await startProcess('api/main.js', fleet.env);
    const id = await fleet.client.post({
      urls: [`${site.url}/quick`, `${site.url}/held`],
      formats: ['text'],
    });
    const stream = await openSse(`${other.ready.url}/api/v1/jobs/${id}/events`, {
      key: String(fleet.env.BOOTSTRAP_API_KEY),
    });

    await stream.until((frames) => frames.at(-1)?.event === 'job.progress', 'the first page');
    expect(stream.frames.at(-1)?.data.data).toMatchObject({ status: 'running', done: 1, total: 2 });
    expect(stream.isClosed()).toBe(false);
    await stream.until(() => held.length > 0, 'the second page to be requested');
    for (const answer of held) answer();

    expect(await stream.closed).toBe('ended');
    const [created, started] = stream.types();
    expect([created, started, stream.types().at(-1)]).toEqual([
      'job.created',
      'job.started',
      'job.completed',
    ]);
    expect(stream.frames.at(-1)?.data.data).toMatchObject({ counts: { pages: 2, leads: 0, errors: 0 } });
    await other.kill();
  },
);
