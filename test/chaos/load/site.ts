import { setTimeout as delay } from 'node:timers/promises';
import { startSite } from '../../support/servers/site.ts';
import type { Kept } from '../processes.ts';
import type { JobScript } from './script.ts';

/**
 * The web as the real workers see it: pages that behave as the job's script says, for browsers that
 * do not read scripts.
 */
export interface ScriptedSite {
  urlsOf(script: JobScript, pages: number): string[];
  close(): Promise<void>;
}

/** @param browserWorker the one real worker, which is killed by a page that kills its worker */
export async function startScriptedSite(browserWorker: () => Kept | undefined): Promise<ScriptedSite> {
  const html = '<title>A page</title><main><h1>Hello</h1><p>Some text.</p></main>';
  const site = await startSite({
    pages: {
      '/page': async (request, response) => {
        const ms = Number(new URL(request.url ?? '/', 'http://site').searchParams.get('ms') ?? 0);
        await delay(ms);
        response.writeHead(200, { 'content-type': 'text/html' }).end(html);
      },
      '/broken': (_request, response) => {
        response.writeHead(500, { 'content-type': 'text/html' }).end(html);
      },
      '/gone': (_request, response) => {
        response.writeHead(404, { 'content-type': 'text/html' }).end(html);
      },
      '/deadly': () => browserWorker()?.signal('SIGKILL'),
    },
  });
  const pathOf = (script: JobScript, position: number): string => {
    if (script.end === 'fail') return '/gone';
    if (script.end === 'kill_worker') return '/deadly';
    return position === script.bad ? '/broken' : `/page?ms=${script.ms}`;
  };
  return {
    urlsOf: (script, pages) =>
      Array.from({ length: pages }, (_, position) => `${site.url}${pathOf(script, position)}`),
    close: () => site.close(),
  };
}
