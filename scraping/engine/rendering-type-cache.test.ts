import { silentLogger } from '../../runtime/log/logger.ts';
import { createRenderMemory, type RenderVerdict, type RenderVerdictStore } from './rendering-type-cache.ts';

let verdicts: Map<string, RenderVerdict>;
let calls: string[];
let store: RenderVerdictStore;

beforeEach(() => {
  verdicts = new Map();
  calls = [];
  store = {
    find: async (host) => {
      calls.push(`find ${host}`);
      return verdicts.get(host) ?? null;
    },
    record: async (host, { engine, reason }) => {
      calls.push(`record ${host} ${engine} ${reason}`);
      verdicts.set(host, { engine, reason, streak: 1, ageMs: 0 });
    },
  };
});

it('asks for a host once in a while, and not for every page', async () => {
  const memory = createRenderMemory(store, silentLogger);
  for (let page = 0; page < 3; page += 1) expect(await memory.recall('a.example')).toBeNull();
  expect(calls).toEqual(['find a.example']);
});

it('knows at once what it told itself', async () => {
  const memory = createRenderMemory(store, silentLogger);
  await memory.recall('a.example');
  await memory.remember('a.example', { engine: 'browser', reason: 'script_drawn' });
  expect(await memory.recall('a.example')).toMatchObject({ engine: 'browser' });
});

it('writes that plain HTTP was enough only where the contrary is known', async () => {
  const memory = createRenderMemory(store, silentLogger);
  await memory.sawEnough('a.example');
  verdicts.set('b.example', { engine: 'browser', reason: 'challenge', streak: 3, ageMs: 1e9 });
  await memory.sawEnough('b.example');
  expect(calls.filter((call) => call.startsWith('record'))).toEqual(['record b.example http whole_page']);
});

it('fails no page when the store is away', async () => {
  const away = async () => {
    throw new Error('away');
  };
  const memory = createRenderMemory({ find: away, record: away }, silentLogger);
  expect(await memory.recall('a.example')).toBeNull();
  await memory.remember('a.example', { engine: 'browser', reason: 'challenge' });
  await memory.sawEnough('a.example');
});
