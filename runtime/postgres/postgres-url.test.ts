import { userInfo } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { type PostgresAddress, parsePostgresUrl } from './postgres-url.ts';

const me = userInfo().username;

describe('the address of the server', () => {
  test.each<[string, Partial<PostgresAddress>]>([
    [
      'postgres://lead:secret@db:5433/leads',
      { hosts: [{ host: 'db', port: 5433 }], user: 'lead', password: 'secret', database: 'leads' },
    ],
    [
      'postgresql://db/leads',
      { hosts: [{ host: 'db', port: 5432 }], user: me, password: undefined, database: 'leads' },
    ],
    ['postgres://lead@[::1]:5433/leads', { hosts: [{ host: '::1', port: 5433 }], user: 'lead' }],
    [
      'postgres://lead@a:1,b,[fd00::1]:3/leads',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 5432 },
          { host: 'fd00::1', port: 3 },
        ],
        writable: true,
      },
    ],
    ['postgres://a,b/leads?target_session_attrs=any', { writable: false }],
    [
      'postgres:///leads?host=/var/run/postgresql',
      { hosts: [{ host: '/var/run/postgresql', port: 5432 }], database: 'leads' },
    ],
    [
      'postgres://lead@%2Fvar%2Frun%2Fpostgresql:5433/leads',
      { hosts: [{ host: '/var/run/postgresql', port: 5433 }], user: 'lead' },
    ],
    ['postgres://lead@/leads?host=/tmp&port=5434', { hosts: [{ host: '/tmp', port: 5434 }], user: 'lead' }],
    [
      "host=/var/run/postgresql dbname='lead engine' user=lead password='it\\'s # %'",
      {
        hosts: [{ host: '/var/run/postgresql', port: 5432 }],
        database: 'lead engine',
        user: 'lead',
        password: "it's # %",
      },
    ],
    [
      'host=a,b port=1,2 dbname=leads',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
    ['postgres://lead@db', { database: 'lead' }],
    [
      'postgres://lead@db/l%C3%A4nder?connect_timeout=3&options=-c%20search_path%3Dx&application_name=x',
      { database: 'länder', connectTimeoutMs: 3000, options: '-c search_path=x' },
    ],
  ])('%s', (url, address) => {
    expect(parsePostgresUrl(url)).toMatchObject(address);
  });

  test.each(['p@ss', 'a:b/c?d#e', '100%', '%41', ' blank ', 'päßword', '"quotes\'', '🔑', '\\', '+&='])(
    'the password %j is what it is once it is encoded',
    (password) => {
      const url = `postgres://lead:${encodeURIComponent(password)}@db/leads`;
      expect(parsePostgresUrl(url)).toMatchObject({ password, hosts: [{ host: 'db' }], database: 'leads' });
    },
  );

  test('an @ or : in a password need not be encoded', () => {
    expect(parsePostgresUrl('postgres://lead:p@s:s@db/leads')).toMatchObject({
      password: 'p@s:s',
      hosts: [{ host: 'db', port: 5432 }],
    });
  });
});

test.each([
  ['', 'prefer'],
  ['?sslmode=disable', 'disable'],
  ['?sslmode=allow', 'prefer'],
  ['?sslmode=prefer', 'prefer'],
  ['?sslmode=require', 'require'],
  ['?sslmode=require&sslrootcert=/ca.crt', 'verify-ca'],
  ['?sslmode=verify-ca', 'verify-ca'],
  ['?sslmode=verify-full&sslrootcert=/ca.crt', 'verify-full'],
  ['?sslmode=no-verify', 'require'],
  ['?ssl=true', 'require'],
  ['?ssl=false', 'disable'],
  ['?host=/tmp&sslmode=require', 'disable'],
])('TLS of %j is %s, as libpq means it', (query, mode) => {
  expect(parsePostgresUrl(`postgres://db/leads${query}`).tls.mode).toBe(mode);
});

test.each([
  ['mysql://lead:s3cret@db/leads', /expected a URL that begins with postgres:/],
  ['postgres://lead:s3cret%@db/leads', /a % is not followed by two hexadecimal digits/],
  ['postgres://lead:s3cret%ff@db/leads', /a % is not followed by two hexadecimal digits of UTF-8/],
  ['postgres://lead:s3cret#1@db/leads', /a # has no place here: .* # as %23/],
  ['postgres://lead:s3cret@db:port/leads', /host and port are not understood/],
  ['postgres://lead:s3cret@db:70000/leads', /expected a port from 1 to 65535/],
  [
    'postgres://lead:s3cret@db/leads?sslmode=on',
    /sslmode is one of disable, allow, prefer, require, verify-ca, verify-full/,
  ],
  ['postgres://lead:s3cret@db/leads?sslmodus=require', /there is no parameter "sslmodus"/],
  ['postgres://lead:s3cret@db/leads?connect_timeout=soon', /connect_timeout is a whole number/],
  ['postgres://lead:s3cret@a,b/leads?target_session_attrs=standby', /target_session_attrs/],
  ['host=a,b,c port=1,2', /3 hosts, but 2 ports/],
  ["host=a password='s3cret", /name=value pairs/],
])('%s is refused without its password', (url, problem) => {
  expect(() => parsePostgresUrl(url)).toThrow(problem);
  expect(() => parsePostgresUrl(url)).not.toThrow(/s3cret/);
});
