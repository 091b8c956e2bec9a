import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../runtime/settings/config.ts';
import { SETTING_GROUPS, SETTINGS, settingsOf } from '../runtime/settings/settings.ts';
import { composeFile, envExample, reference } from '../scripts/docs/texts.ts';

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');

describe('what follows from the declared settings is up to date (else: npm run docs)', () => {
  test('.env.example', () => expect(read('.env.example')).toBe(envExample()));
  test('the reference', () => expect(read('docs/reference/configuration.md')).toBe(reference()));
  test('the Compose file', () =>
    expect(read('docker-compose.yml')).toBe(composeFile(read('docker-compose.yml'))));
});

test('each setting is in one group', () => {
  const names = Object.values(SETTING_GROUPS).flatMap((group) => Object.keys(group));
  expect([...names].sort()).toEqual(Object.keys(SETTINGS).sort());
});

test('Compose hands every setting on but those that the image decides', () => {
  const [, list = ''] = read('docker-compose.yml').split('x-environment: &environment\n');
  const passed = [...list.matchAll(/^ {2}([A-Z_]+): \S/gm)].map(([, name]) => name);
  const image = ['PORT', 'HOST', 'DATA_DIR', 'CHROMIUM_PATH', 'WORKERS'];
  const readByServices = Object.entries(SETTINGS).filter(([, { readBy }]) => readBy.join() !== 'mcp');
  expect(passed.sort()).toEqual(
    readByServices
      .map(([name]) => name)
      .filter((name) => !image.includes(name))
      .sort(),
  );
});

test('each fallback and example is a value that is accepted', () => {
  for (const [name, { fallback, example, type }] of settingsOf(SETTINGS)) {
    for (const value of [fallback, example]) {
      if (value !== undefined) expect([name, type.safeParse(value).success]).toEqual([name, true]);
    }
  }
});

test('README names settings that exist', () => {
  const [, table = ''] = read('README.md').split('## Configuration');
  const named = [...(table.split('## More')[0] ?? '').matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(
    ([, name]) => name,
  );
  expect(named.filter((name) => !(String(name) in SETTINGS))).toEqual([]);
});

test('every variable of the contract is still declared, with its default', () => {
  const contract = {
    ...{ PORT: '3000', HOST: '127.0.0.1', DATA_DIR: './.leadengine', SHUTDOWN_GRACE_MS: '25000' },
    ...{ WORKER_CONCURRENCY: '1', LEASE_MS: '15000', RETRY_BASE_MS: '1000' },
  };
  for (const [name, fallback] of Object.entries(contract))
    expect(SETTINGS).toHaveProperty([name, 'fallback'], fallback);
  expect(() => parseConfig({})).not.toThrow();
});
