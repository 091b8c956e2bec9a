import { ConfigError, parseConfig } from './config.ts';

test('an empty environment gives the documented defaults', () => {
  expect(parseConfig({})).toMatchObject({
    port: 3000,
    host: '127.0.0.1',
    databaseUrl: undefined,
    rabbitmq: undefined,
    workers: 1,
    workerConcurrency: 1,
    shutdownGraceMs: 25_000,
    leaseMs: 15_000,
    retry: { baseMs: 1000 },
    egressAllow: [],
  });
});

test('a wrong value is refused in one line that names the variable', () => {
  expect(() => parseConfig({ PORT: 'eighty', LEASE_MS: '5' })).toThrow(ConfigError);
  expect(() => parseConfig({ PORT: 'eighty', LEASE_MS: '5' })).toThrow(
    /^configuration: PORT: expected a whole number from 0 to 65535; LEASE_MS: expected .*$/,
  );
  expect(() => parseConfig({ DATABASE_URL: 'mysql://x' })).toThrow(/DATABASE_URL: expected a URL/);
});

test('an empty value counts as unset', () => {
  expect(parseConfig({ DATABASE_URL: '', RABBITMQ_URL: ' ' })).toMatchObject({ databaseUrl: undefined });
});

test('the broker can be given in parts', () => {
  const { rabbitmq } = parseConfig({
    RABBITMQ_HOST: 'broker',
    RABBITMQ_USER: 'lead',
    RABBITMQ_PASSWORD: 'p@ss/word',
    RABBITMQ_VHOST: '/jobs',
  });
  expect(rabbitmq?.url).toBe('amqp://lead:p%40ss%2Fword@broker:5672/%2Fjobs');
});

test('what jobs may reach is a list of hosts and ranges', () => {
  const EGRESS_ALLOW = '127.0.0.1:8080, 10.0.0.0/8,[::1]:80 fd00::/8,intranet.example';
  expect(parseConfig({ EGRESS_ALLOW }).egressAllow).toHaveLength(5);
  expect(() => parseConfig({ EGRESS_ALLOW: 'http://x/' })).toThrow(
    /^configuration: EGRESS_ALLOW.*expected host/,
  );
});

test('half a key pair of pushes is refused, and links lead to where the API listens', () => {
  const publicKey = Buffer.alloc(65, 4).toString('base64url');
  expect(() => parseConfig({ VAPID_PUBLIC_KEY: publicKey })).toThrow(
    'configuration: VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY: expected both or neither',
  );
  expect(() => parseConfig({ VAPID_PUBLIC_KEY: 'AAAA' })).toThrow('expected 65 bytes as base64url');
  expect(parseConfig({ HOST: '0.0.0.0', PORT: '8080' }).publicUrl).toBe('http://127.0.0.1:8080');
  expect(parseConfig({ PUBLIC_URL: 'https://leads.example/app/' }).publicUrl).toBe(
    'https://leads.example/app',
  );
});
