import { silentLogger } from '../../runtime/log/logger.ts';
import {
  createRenderingTypeCache,
  type RenderingType,
  type RenderingTypeStore,
} from './rendering-type-cache.ts';

let stored: Map<string, RenderingType>;
let calls: string[];
let store: RenderingTypeStore;

beforeEach(() => {
  stored = new Map();
  calls = [];
  store = {
    find: async (host) => {
      calls.push(`find ${host}`);
      return stored.get(host) ?? null;
    },
    record: async (host, { engine, reason }) => {
      calls.push(`record ${host} ${engine} ${reason}`);
      stored.set(host, { engine, reason, streak: 1, ageMs: 0 });
    },
  };
});

it('reads the store once per host and interval, not per page', async () => {
  const cache = createRenderingTypeCache(store, silentLogger);
  for (let page = 0; page < 3; page += 1) expect(await cache.get('a.example')).toBeNull();
  expect(calls).toEqual(['find a.example']);
});

it('returns its own record at once', async () => {
  const cache = createRenderingTypeCache(store, silentLogger);
  await cache.get('a.example');
  await cache.record('a.example', { engine: 'browser', reason: 'script_drawn' });
  expect(await cache.get('a.example')).toMatchObject({ engine: 'browser' });
});

it('records that plain HTTP was sufficient only if the contrary is recorded', async () => {
  const cache = createRenderingTypeCache(store, silentLogger);
  await cache.recordHttpSufficient('a.example');
  stored.set('b.example', { engine: 'browser', reason: 'challenge', streak: 3, ageMs: 1e9 });
  await cache.recordHttpSufficient('b.example');
  expect(calls.filter((call) => call.startsWith('record'))).toEqual(['record b.example http whole_page']);
});

it('fails no page if the store is unreachable', async () => {
  const away = async () => {
    throw new Error('away');
  };
  const cache = createRenderingTypeCache({ find: away, record: away }, silentLogger);
  expect(await cache.get('a.example')).toBeNull();
  await cache.record('a.example', { engine: 'browser', reason: 'challenge' });
  await cache.recordHttpSufficient('a.example');
});
