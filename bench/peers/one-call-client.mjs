import { Agent, request } from 'undici';
import { now, serve } from './serve.mjs';

// A client that asks for one page after the other: the pages themselves, or a service that reads them. undici as users
// have it, with connections kept open.
serve({
  /** For each request, from before it is sent until its whole body is there: `at`, the end, and `ms`. */
  ask: async ({ service, urls, concurrency, headers, fields, mustHold }) => {
    const dispatcher = new Agent({ connections: concurrency });
    const waiting = [...urls];
    const answered = [];
    const client = async () => {
      for (let url = waiting.shift(); url; url = waiting.shift()) {
        const begin = now();
        const { statusCode, body } = service
          ? await request(service, {
              ...{ dispatcher, method: 'POST', body: JSON.stringify({ url, ...fields }) },
              headers: { 'content-type': 'application/json', ...headers },
            })
          : await request(url, { dispatcher });
        const text = await body.text();
        const at = now();
        if (statusCode !== 200 || !text.includes(mustHold))
          throw new Error(`${url}: ${statusCode} ${text.slice(0, 500)}`);
        answered.push({ at, ms: at - begin });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, client));
    await dispatcher.close();
    return answered;
  },
});
