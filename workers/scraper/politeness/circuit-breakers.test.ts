import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import { createSiteCircuitBreakers } from './circuit-breakers.ts';

const answer = (code: string | null): ScrapedPage =>
  ({ page: { error: code && { code, message: code } }, artifacts: [] }) as unknown as ScrapedPage;

async function loadTimes(
  times: number,
  url: string,
  code: string | null,
  circuits = createSiteCircuitBreakers(() => {}),
) {
  let loads = 0;
  const results: (ScrapedPage | null)[] = [];
  for (let time = 0; time < times; time += 1) {
    results.push(
      await circuits.load(url, async () => {
        loads += 1;
        return answer(code);
      }),
    );
  }
  return { loads, results, circuits };
}

test('ten consecutive failures of a site open its circuit and no other', async () => {
  const { loads, results, circuits } = await loadTimes(15, 'http://dead.example/a', 'connection_refused');
  expect(loads).toBe(10);
  expect(results.slice(10)).toEqual([null, null, null, null, null]);
  expect((await loadTimes(1, 'http://dead.example:8080/', null, circuits)).loads).toBe(1);
});

test('the circuit of a site that answers with any status stays closed', async () => {
  expect((await loadTimes(30, 'http://angry.example/', 'http_server_error')).loads).toBe(30);
});

test('an answer resets the count of failures', async () => {
  const { circuits } = await loadTimes(9, 'http://shaky.example/', 'dns_failed');
  await loadTimes(1, 'http://shaky.example/', null, circuits);
  expect((await loadTimes(9, 'http://shaky.example/', 'dns_failed', circuits)).loads).toBe(9);
});

test('a change is reported once', async () => {
  const changes: [string, boolean][] = [];
  await loadTimes(
    14,
    'https://dead.example/x?y',
    'page_timeout',
    createSiteCircuitBreakers((...change) => changes.push(change)),
  );
  expect(changes).toEqual([['https://dead.example', true]]);
});
