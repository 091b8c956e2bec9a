import { silentLogger } from '../../runtime/log/logger.ts';
import { createEgressGuard } from './guard.ts';

const guardWith = (...allow: string[]) => createEgressGuard({ allow, logger: silentLogger });

it('returns a public address unchanged', async () => {
  await expect(guardWith().resolve('1.1.1.1', 443)).resolves.toEqual(['1.1.1.1']);
  await expect(guardWith().resolve('[2606:4700::1111]', 80)).resolves.toEqual(['2606:4700::1111']);
});

it.each(['localhost', 'LOCALHOST.', '127.1', '0x7f000001', '[::1]', '169.254.169.254', '[64:ff9b::a00:1]'])(
  'blocks %s by the address it resolves to',
  async (host) => {
    await expect(guardWith().resolve(host, 80)).rejects.toMatchObject({ code: 'egress_refused' });
  },
);

it('allows an allow-listed name whatever it resolves to, on its port only', async () => {
  const guard = guardWith('localhost:8080');
  expect((await guard.resolve('localhost', 8080)).length).toBeGreaterThan(0);
  await expect(guard.resolve('localhost', 8081)).rejects.toMatchObject({ code: 'egress_refused' });
});

it('allows an allow-listed address under any name, and no other address', async () => {
  expect(await guardWith('127.0.0.0/8').resolve('localhost', 80)).toEqual(['127.0.0.1']);
});

it('reports a name that does not resolve', async () => {
  await expect(guardWith().resolve('no-such-host.invalid', 80)).rejects.toMatchObject({ code: 'dns_failed' });
  await expect(guardWith().resolve('not a host', 80)).rejects.toMatchObject({ code: 'dns_failed' });
});

it('names an invalid allow-list entry', () => {
  expect(() => guardWith('10.0.0.0/8', '10.0.0.0/99')).toThrow('"10.0.0.0/99"');
});

it('logs a blocked address with its reason', async () => {
  const lines: unknown[] = [];
  const logger = {
    ...silentLogger,
    warn: (event: string, fields?: Record<string, unknown>) => void lines.push([event, fields]),
  };
  await createEgressGuard({ allow: [], logger })
    .resolve('0xa000001', 80)
    .catch(() => {});
  expect(lines).toEqual([
    ['egress_refused', { host: '10.0.0.1', port: 80, address: '10.0.0.1', reason: 'private' }],
  ]);
});

describe('a name', () => {
  const answering = (...answers: string[][]) => {
    const asked: string[] = [];
    const refused: string[] = [];
    const resolver = async (name: string) => {
      asked.push(name);
      return (answers.shift() ?? []).map((address) => ({ address }));
    };
    const onBlocked = (reason: string) => void refused.push(reason);
    const guard = createEgressGuard({ allow: [], logger: silentLogger, resolver, onBlocked });
    return { asked, refused, guard };
  };

  it('is resolved once, in its canonical form', async () => {
    const { asked, guard } = answering(['93.184.216.34'], ['1.1.1.1']);
    expect(await guard.resolve('bücher.example', 8443)).toEqual(['93.184.216.34']);
    // Unicode full stops are dots.
    expect(await guard.resolve('EXAMPLE。com', 80)).toEqual(['1.1.1.1']);
    expect(asked).toEqual(['xn--bcher-kva.example', 'example.com']);
  });

  it('with public and private addresses resolves to the public ones', async () => {
    const { guard, refused } = answering(['10.0.0.1', '93.184.216.34', '::1', '2606:4700::1111']);
    expect(await guard.resolve('both.example', 443)).toEqual(['93.184.216.34', '2606:4700::1111']);
    expect(refused).toEqual(['private', 'loopback']);
  });

  it('that resolves to a private address now is refused, although it was public before', async () => {
    const { guard, refused } = answering(['93.184.216.34'], ['169.254.169.254']);
    await guard.resolve('rebind.example', 80);
    await expect(guard.resolve('rebind.example', 80)).rejects.toMatchObject({ code: 'egress_refused' });
    expect(refused).toHaveLength(1);
  });
});

describe('what the operator denies', () => {
  const guardDenying = (lists: { allow?: string[]; deny: string[]; trusted?: string[] }, address: string) =>
    createEgressGuard({
      ...{ allow: [], logger: silentLogger, resolver: async () => [{ address }] },
      ...lists,
    });

  it.each([
    [['203.0.113.0/24'], 'www.example.com', '203.0.113.7'],
    [['203.0.113.0/24'], '203.0.113.7', ''],
    [['203.0.113.7'], '[64:ff9b::cb00:7107]', ''],
    [['admin.example.com'], 'ADMIN.example.com.', '93.184.216.34'],
    [['*.example.com'], 'deep.admin.example.com', '93.184.216.34'],
  ])('%j refuses %s', async (deny, host, address) => {
    await expect(guardDenying({ deny }, address).resolve(host, 443)).rejects.toMatchObject({
      code: 'egress_refused',
    });
  });

  it('stays closed although an entry of the allow list opens it', async () => {
    const lists = { allow: ['10.0.0.0/8', 'db.example'], deny: ['10.0.0.5', 'db.example'] };
    const guard = guardDenying(lists, '10.0.0.9');
    await expect(guard.resolve('10.0.0.5', 80)).rejects.toMatchObject({ code: 'egress_refused' });
    await expect(guard.resolve('db.example', 80)).rejects.toMatchObject({ code: 'egress_refused' });
    expect(await guard.resolve('10.0.0.6', 80)).toEqual(['10.0.0.6']);
  });

  it('is reachable for a source that the operator configured', async () => {
    const lists = { deny: ['*.example.com'], trusted: ['searx.example.com:443'] };
    const guard = guardDenying(lists, '203.0.113.7');
    expect(await guard.resolve('searx.example.com', 443)).toEqual(['203.0.113.7']);
    await expect(guard.resolve('searx.example.com', 80)).rejects.toMatchObject({ code: 'egress_refused' });
  });
});

it('refuses the name of a metadata service unless the allow list names it', async () => {
  const resolver = async () => [{ address: '93.184.216.34' }];
  const guardAllowing = (...allow: string[]) => createEgressGuard({ allow, logger: silentLogger, resolver });
  await expect(guardAllowing().resolve('metadata.google.internal', 80)).rejects.toMatchObject({
    code: 'egress_refused',
  });
  const named = guardAllowing('metadata.google.internal', '168.63.129.16');
  expect(await named.resolve('metadata.google.internal', 80)).toEqual(['93.184.216.34']);
  expect(await named.resolve('168.63.129.16', 80)).toEqual(['168.63.129.16']);
});
