import { explainPostgresFailure } from './postgres-failure.ts';

test.each([
  ['ECONNRESET', 'read ECONNRESET', /^DATABASE_URL: what listens there hangs up: .*correct host and port/],
  ['', 'Connection terminated unexpectedly', /^DATABASE_URL: what listens there hangs up/],
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1', /^DATABASE_URL: nothing listens there: start/],
  ['3D000', 'database "a" does not exist', /^DATABASE_URL: there is no such database: create it/],
])('%s is explained with the variable and the cure', (code, message, line) => {
  const explained = explainPostgresFailure(Object.assign(new Error(message), { code }));
  expect(explained).toMatch(line);
  expect(explained).toContain(message);
});

test('an error of a statement is not explained', () => {
  expect(explainPostgresFailure(Object.assign(new Error('syntax error'), { code: '42601' }))).toBeUndefined();
});
