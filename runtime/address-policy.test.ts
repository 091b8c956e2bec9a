import {
  canonicalHost,
  hostRefusalReason,
  parseAddress,
  parseAllowList,
  parseDenyList,
  refusalReason,
  refusedTargetOf,
} from './address-policy.ts';

/**
 * The reason for a host as the URL parser normalizes it, which is what the browser and the guard
 * see.
 */
const reasonOfUrl = (url: string) => {
  const address = parseAddress(new URL(url).hostname);
  if (!address) throw new Error(`${url} has no literal address`);
  return refusalReason(address);
};

describe('an address that is not on the public internet is refused', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0x7f000001/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://0/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'http://100.127.255.255/',
    'http://169.254.169.254/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://192.0.2.1/',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://240.0.0.1/',
    'http://255.255.255.255/',
    'http://[::]/',
    'http://[::1]/',
    'http://[::127.0.0.1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::ffff:0:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[64:ff9b:1::1]/',
    'http://[2002:7f00:1::]/',
    'http://[2002:a00:1::1]/',
    'http://[2001::1]/',
    'http://[2001:db8::1]/',
    'http://[fc00::1]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://[fec0::1]/',
    'http://[ff02::1]/',
    'http://[100::1]/',
    'http://[4000::1]/',
    'http://168.63.129.16/machine?comp=goalstate',
    'http://2822734096/',
    'http://0xa83f8110:32526/',
    'http://[::ffff:168.63.129.16]/',
    'http://[64:ff9b::168.63.129.16]/',
    'http://[2002:a83f:8110::]/',
    'http://100.100.100.200/latest/meta-data/',
    'http://192.0.0.192/latest/',
    'http://169.254.170.2/v2/credentials',
    'http://[fd20:ce::254]/',
    'http://[fd00:a9fe:a9fe::1]/',
    'http://199.36.153.8/',
    'http://199.36.153.4/',
    'http://161.26.0.10/',
    'http://166.9.1.1/',
    'http://192.80.8.124/metadata',
  ])('%s', (url) => {
    expect(reasonOfUrl(url)).toEqual(expect.any(String));
  });

  it('with a zone', () => {
    const address = parseAddress('fe80::1%eth0');
    expect(address && refusalReason(address)).toBe('linkLocal');
  });
});

describe('an address of the public internet is allowed', () => {
  it.each([
    'http://1.1.1.1/',
    'http://168.63.129.15/',
    'http://168.63.129.17/',
    'http://199.36.153.3/',
    'http://199.36.153.12/',
    'http://192.80.8.125/',
    'http://8.8.8.8:8080/',
    'http://172.15.0.1/',
    'http://172.32.0.1/',
    'http://100.63.255.255/',
    'http://100.128.0.1/',
    'http://169.253.0.1/',
    'http://192.169.0.1/',
    'http://223.255.255.254/',
    'http://[2606:4700::1111]/',
    'http://[2a00:1450:4001::200e]/',
    'http://[::ffff:1.1.1.1]/',
    'http://[64:ff9b::101:101]/',
    'http://[2002:101:101::1]/',
  ])('%s', (url) => {
    expect(reasonOfUrl(url)).toBeNull();
  });
});

describe('an allow list opens exactly what it names', () => {
  const opens = (entry: string, host: string, port: number) => {
    const list = parseAllowList([entry]);
    const address = parseAddress(host);
    return address ? list.hasAddress(address, port) : list.hasHost(host, port);
  };

  it.each([
    ['127.0.0.0/8', '127.9.9.9', 80],
    ['127.0.0.1', '::ffff:127.0.0.1', 80],
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['10.0.0.0/8:5432', '10.1.2.3', 5432],
    ['fd00::/8', 'fd12::1', 443],
    ['[fd00::1]:8080', 'fd00::1', 8080],
    ['[fd00::/8]:8080', 'fd00::2', 8080],
    ['::1', '::1', 1],
    ['localhost', 'localhost', 3000],
    ['Intra.Example.:8443', 'intra.example', 8443],
    ['münchen.example', 'xn--mnchen-3ya.example', 80],
  ])('%s opens %s on port %d', (entry, host, port) => {
    expect(opens(entry, host, port)).toBe(true);
  });

  it.each([
    ['127.0.0.1:8080', '127.0.0.1', 8081],
    ['127.0.0.1', '127.0.0.2', 80],
    ['localhost', '127.0.0.1', 80],
    ['localhost:80', 'localhost', 81],
    ['example.com', 'www.example.com', 80],
    ['10.0.0.0/8', '::1', 80],
    ['::ffff:127.0.0.1', '64:ff9b::7f00:1', 80],
  ])('%s does not open %s on port %d', (entry, host, port) => {
    expect(opens(entry, host, port)).toBe(false);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.1:0',
    '10.0.0.1:99999',
    'http://a.example/',
    '127.1',
    'a b',
    '[fd00::1',
    'fd00::/129',
    '*.example.com',
    'a/8',
  ])('and %p is refused by name', (entry) => {
    expect(() => parseAllowList([entry])).toThrow(`"${entry}"`);
  });
});

it.each([
  ['LOCALHOST.', 'localhost'],
  ['0x7f.1', '127.0.0.1'],
  ['[::FFFF:127.0.0.1]', '127.0.0.1'],
  ['::1', '::1'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['a@b', null],
  ['', null],
])('host %s is written %s', (host, expected) => {
  expect(canonicalHost(host)).toBe(expected);
});

describe('the name of a metadata service is refused, whatever it resolves to', () => {
  it.each([
    'metadata.google.internal',
    'METADATA.google.internal.',
    'instance-data.ec2.internal',
    'metadata.goog',
    'metadata.packet.net',
    'vm.eu-west-1.compute.internal',
    'metadata',
  ])('%s', (host) => {
    expect(hostRefusalReason(canonicalHost(host) ?? '')).toBe('cloud');
  });

  it.each(['google.com', 'metadata.example.com', 'internal.example.com', 'metadata-google.internal.example'])(
    'but not %s',
    (host) => {
      expect(hostRefusalReason(host)).toBeNull();
    },
  );
});

describe('a deny list closes what it names', () => {
  const closes = (entry: string, host: string, port: number) => {
    const list = parseDenyList([entry]);
    const address = parseAddress(host);
    return address ? list.hasAddress(address, port) : list.hasHost(host, port);
  };

  it.each([
    ['203.0.113.0/24', '203.0.113.9', 443],
    ['203.0.113.9', '::ffff:203.0.113.9', 80],
    ['203.0.113.9', '64:ff9b::cb00:7109', 80],
    ['203.0.113.9', '2002:cb00:7109::1', 80],
    ['2001:db8::/32', '2001:db8::7', 80],
    ['203.0.113.9:22', '203.0.113.9', 22],
    ['admin.example.com', 'admin.example.com', 443],
    ['*.corp.example', 'a.b.corp.example', 443],
    ['*.corp.example:8443', 'a.corp.example', 8443],
  ])('%s closes %s on port %d', (entry, host, port) => {
    expect(closes(entry, host, port)).toBe(true);
  });

  it.each([
    ['203.0.113.9:22', '203.0.113.9', 443],
    ['203.0.113.9', '203.0.113.8', 80],
    ['admin.example.com', 'www.admin.example.com', 443],
    ['*.corp.example', 'corp.example', 443],
    ['*.corp.example', 'acorp.example', 443],
  ])('%s does not close %s on port %d', (entry, host, port) => {
    expect(closes(entry, host, port)).toBe(false);
  });

  it.each(['*', '*.', '*.10.0.0.1', 'a.*.example', '10.0.0.0/40'])('and %p is refused by name', (entry) => {
    expect(() => parseDenyList([entry])).toThrow(`EGRESS_DENY: entry "${entry}"`);
  });
});

describe('a URL whose host is a private address', () => {
  const targetOf = (url: string, ...allow: string[]) =>
    refusedTargetOf(new URL(url), { allow: parseAllowList(allow), deny: parseDenyList([]) });

  it.each([
    ['http://127.0.0.1/', 'loopback', '127.0.0.1:80'],
    ['https://2130706433/', 'loopback', '127.0.0.1:443'],
    ['http://0177.0.0.1:8080/', 'loopback', '127.0.0.1:8080'],
    ['http://0x7f.1/', 'loopback', '127.0.0.1:80'],
    ['http://127.1/', 'loopback', '127.0.0.1:80'],
    ['http://①②⑦.⓪.⓪.①/', 'loopback', '127.0.0.1:80'],
    ['http://user@127.0.0.1./', 'loopback', '127.0.0.1:80'],
    ['http://LOCALHOST:3000/', 'loopback', 'localhost:3000'],
    ['http://a.localhost./', 'loopback', 'a.localhost:80'],
    ['http://[::1]/', 'loopback', '[::1]:80'],
    ['http://[::ffff:10.0.0.1]/', 'private', '10.0.0.1:80'],
    ['http://[64:ff9b::a9fe:a9fe]/', 'linkLocal', '[64:ff9b::a9fe:a9fe]:80'],
    ['http://[fd00::1]/', 'uniqueLocal', '[fd00::1]:80'],
    ['http://0/', 'unspecified', '0.0.0.0:80'],
    ['http://169.254.169.254/latest/meta-data/', 'linkLocal', '169.254.169.254:80'],
    ['http://168.63.129.16/', 'cloud', '168.63.129.16:80'],
    ['http://metadata.google.internal/', 'cloud', 'metadata.google.internal:80'],
    ['socks5://2130706433', 'loopback', '127.0.0.1:1080'],
  ])('%s is recognized, and the entry that opens it is named', (url, range, entry) => {
    expect(targetOf(url)).toEqual({ kind: 'private', host: expect.any(String), range, entry });
    expect(targetOf(url, entry)).toBeNull();
  });

  it.each([
    ['http://example.com/', []],
    ['http://inside.example/', []],
    ['http://93.184.216.34/', []],
    ['http://[2606:4700::1111]/', []],
    ['http://10.1.2.3/', ['10.0.0.0/8']],
    ['http://localhost:8080/', ['127.0.0.1:8080']],
    ['http://localhost:8080/', ['[::1]:8080']],
  ])('%s is none with %j', (url, allow) => {
    expect(targetOf(url, ...allow)).toBeNull();
  });

  it('is none on the port that is allowed only', () => {
    expect(targetOf('http://127.0.0.1:81/', '127.0.0.1:80')).toMatchObject({ entry: '127.0.0.1:81' });
  });

  it.each([
    ['http://203.0.114.9/', '203.0.114.9'],
    ['http://3405804041/', '203.0.114.9'],
    ['https://a.corp.example/', 'a.corp.example'],
  ])('%s is refused where EGRESS_DENY names it, whatever is allowed', (url, host) => {
    const lists = {
      allow: parseAllowList(['0.0.0.0/0', 'a.corp.example']),
      deny: parseDenyList(['203.0.114.9', '*.corp.example']),
    };
    expect(refusedTargetOf(new URL(url), lists)).toEqual({ kind: 'denied', host });
  });
});
