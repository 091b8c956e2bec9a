import { expect, test } from '@jest/globals';
import { nearMisses } from './near-misses.ts';
import { SETTINGS } from './settings.ts';

const known = Object.keys(SETTINGS);

test.each([
  ['RABBIT_URL', 'RABBITMQ_URL'],
  ['RABBITMQ_URI', 'RABBITMQ_URL'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['DATABASE_URI', 'DATABASE_URL'],
  ['database_url', 'DATABASE_URL'],
  ['WORKER', 'WORKERS'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['BOOTSTRAP_APIKEY', 'BOOTSTRAP_API_KEY'],
  ['EGRESS_ALLOWED', 'EGRESS_ALLOW'],
])('%s is taken for a misspelt %s', (name, meant) => {
  expect(nearMisses([name], known)).toEqual([{ name, meant }]);
});

test('settings and variables of other programs are not misspellings', () => {
  const others = [
    'PATH',
    'HOME',
    'HOSTNAME',
    'PWD',
    'SHELL',
    'USER',
    'LANG',
    'TERM',
    'EDITOR',
    'NODE_OPTIONS',
    'PGHOST',
  ];
  const more = [
    'npm_config_cache',
    'POSTGRES_PASSWORD',
    'PUBLISH',
    'TMPDIR',
    'LOGNAME',
    'DISPLAY',
    'NODE_ENV',
    'CI',
    'GITHUB_TOKEN',
  ];
  expect(nearMisses([...known, ...others, ...more], known)).toEqual([]);
});
