import { browserMemoryBytes, ConfigError, parseConfig } from './config.ts';

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

test('EGRESS_ALLOW is a list of hosts and ranges', () => {
  const EGRESS_ALLOW = '127.0.0.1:8080, 10.0.0.0/8,[::1]:80 fd00::/8,intranet.example';
  expect(parseConfig({ EGRESS_ALLOW }).egressAllow).toHaveLength(5);
  expect(() => parseConfig({ EGRESS_ALLOW: 'http://x/' })).toThrow(
    /^configuration: EGRESS_ALLOW.*expected host/,
  );
});

test('half a VAPID key pair is refused, and links default to the address of the API', () => {
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

test.each([
  ['leads.example.com', /^configuration: PUBLIC_URL: expected a URL that begins with https?:/],
  ['https:leads.example.com', /^configuration: PUBLIC_URL: expected a URL that begins with/],
  ['https://leads.example.com/?a=1', /^configuration: PUBLIC_URL: expected a URL without \?, #/],
  ['https://leads.example.com/#a', /^configuration: PUBLIC_URL: expected a URL without/],
  ['https://me:pw@leads.example.com', /^configuration: PUBLIC_URL: expected a URL without/],
])('PUBLIC_URL may not be %s', (PUBLIC_URL, problem) => {
  expect(() => parseConfig({ PUBLIC_URL })).toThrow(problem);
});

test('the address to listen on may be IPv6 in brackets', () => {
  expect(parseConfig({ HOST: '[::1]' })).toMatchObject({ host: '::1', publicUrl: 'http://[::1]:3000' });
});

test('a contact is mailto: or https://', () => {
  expect(parseConfig({ VAPID_SUBJECT: 'mailto:you@example.com' }).notify.vapidSubject).toBe(
    'mailto:you@example.com',
  );
  expect(() => parseConfig({ VAPID_SUBJECT: 'you@example.com' })).toThrow(
    'configuration: VAPID_SUBJECT: expected a URL that begins with mailto: or https://',
  );
});

test.each([
  ['::1', 'amqp://guest:guest@[::1]:5672/%2F'],
  ['[::1]', 'amqp://guest:guest@[::1]:5672/%2F'],
  ['10.0.0.7', 'amqp://guest:guest@10.0.0.7:5672/%2F'],
])('the broker at %s', (RABBITMQ_HOST, url) => {
  expect(parseConfig({ RABBITMQ_HOST }).rabbitmq?.url).toBe(url);
});

test.each(['100%', 'a@b:c/d#e?f', 'päß', '%41'])(
  'the broker’s password %j survives the URL made of the parts',
  (RABBITMQ_PASSWORD) => {
    const { rabbitmq } = parseConfig({ RABBITMQ_HOST: 'broker', RABBITMQ_PASSWORD });
    expect(decodeURIComponent(new URL(String(rabbitmq?.url)).password)).toBe(RABBITMQ_PASSWORD);
  },
);

test.each([
  [{ RABBITMQ_URL: 'amqp://lead:s3cret%@broker' }, /^configuration: RABBITMQ_URL: .+ write % as %25/],
  [{ RABBITMQ_URL: 'amqp://lead:s3cret#x@broker' }, /^configuration: RABBITMQ_URL: .+ # as %23/],
  [{ RABBITMQ_URL: 'amqp://lead:s3cret/x@broker/jobs' }, /^configuration: RABBITMQ_URL: .+ \/ as %2F/],
  [
    { RABBITMQ_URL: 'http://broker:15672' },
    /^configuration: RABBITMQ_URL: expected a URL that begins with amqp/,
  ],
  [{ RABBITMQ_URL: 'broker:5672' }, /^configuration: RABBITMQ_URL: expected a URL that begins with amqp/],
  [{ RABBITMQ_HOST: 'amqp://broker' }, /^configuration: RABBITMQ_HOST: expected a host name/],
  [{ RABBITMQ_HOST: 'broker:5672' }, /^configuration: RABBITMQ_HOST: expected a host name.+RABBITMQ_PORT/],
  [{ DATABASE_URL: 'postgres://lead:s3cret%@db/leads' }, /^configuration: DATABASE_URL: .+ write % as %25/],
  [{ BOOTSTRAP_API_KEY: 's3cret' }, /^configuration: BOOTSTRAP_API_KEY: expected 16 to 200 .+openssl rand/],
])('%j is refused in one line without its secret', (environment, problem) => {
  expect(() => parseConfig(environment)).toThrow(problem);
  expect(() => parseConfig(environment)).not.toThrow(/s3cret|\n/);
});

const GB = 1024 ** 3;
test.each([
  ['half of the machine', { workers: 1, slots: 1 }, 4 * GB, 2 * GB],
  ['shared by the workers', { workers: 2, slots: 4 }, 8 * GB, 2 * GB],
  ['never less than a browser needs', { workers: 8, slots: 1 }, 4 * GB, GB],
  ['no more than the pages of its slots need', { workers: 1, slots: 2 }, 64 * GB, 4 * GB],
])('the memory of a browser is %s', (_name, shares, machine, expected) => {
  expect(browserMemoryBytes(shares, machine)).toBe(expected);
});

test('BROWSER_MEMORY_MB wins over the machine', () => {
  expect(parseConfig({ BROWSER_MEMORY_MB: '700' }).browserMemoryBytes).toBe(700 * 1024 * 1024);
});
