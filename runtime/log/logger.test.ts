import { createLogger, withoutSecrets } from './logger.ts';

test('secrets are replaced at any depth', () => {
  const fields = withoutSecrets({
    job_id: 'j1',
    authorization: 'Bearer x',
    api_key: 'le_1',
    nested: { password: 'p', url: 'postgres://lead:s3cret@db:5432/x' },
    error: new Error('connect to amqp://guest:hunter2@broker failed'),
  });
  expect(JSON.stringify(fields)).not.toMatch(/Bearer x|le_1|"p"|s3cret|hunter2/);
  expect(fields).toMatchObject({ job_id: 'j1', nested: { url: 'postgres://lead:[hidden]@db:5432/x' } });
});

test('a password is found behind whatever stands before its URL, and in a text of any length', () => {
  const long = 'x'.repeat(1_000_000);
  for (const before of ['', '"', '(', '1', 'see:', 'ä', `${long} `, long]) {
    const { text } = withoutSecrets({ text: `${before}postgres://lead:s3cret@db/x` });
    expect(text).toBe(`${before}postgres://lead:[hidden]@db/x`);
  }
  expect(withoutSecrets({ path: long })).toEqual({ path: long });
});

test('an error keeps its code, its cause and its stack', () => {
  const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'ECONNREFUSED' });
  expect(withoutSecrets({ error }).error).toMatchObject({
    message: 'outer',
    code: 'ECONNREFUSED',
    cause: { message: 'inner' },
    stack: expect.stringContaining('outer'),
  });
});

test.each(['pretty', 'json'] as const)(
  'a line of the %s log is one line, whatever its fields hold',
  (format) => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', format, processKind: 'test' }, (line) => lines.push(line));
    logger.info('odd', {
      text: 'a\nERROR forged\u001b[2J\u0085',
      count: 7n,
      none: undefined,
      deep: { count: 7n },
    });
    expect(lines).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(lines[0]).not.toMatch(/[\n\r\u001b]/);
    expect(lines[0]).toContain('a\\');
  },
);
