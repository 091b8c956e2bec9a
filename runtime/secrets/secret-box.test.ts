import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEncryptionKey } from './encryption-key.ts';
import { createKeyFile, readKeyFile } from './key-file.ts';
import { createSecretBox, keyIdOf, NO_SECRETS, SecretUnreadable } from './secret-box.ts';

const [old, current] = [randomBytes(32), randomBytes(32)];
const place = 'jobs.secrets:1';

test.each(['', 'secret', 'schlüssel 🔑', 'x'.repeat(100_000)])('what is sealed opens again (%#)', (text) => {
  const box = createSecretBox([current]);
  const sealed = box.seal(text, place);
  expect(box.open(sealed, place)).toBe(text);
  if (text !== '') expect(sealed.includes(text)).toBe(false);
  expect(box.seal(text, place).equals(sealed)).toBe(false);
});

describe('a sealed value does not open', () => {
  const box = createSecretBox([current]);
  const sealed = box.seal('secret', place);
  const changed = (at: number) => {
    const copy = Buffer.from(sealed);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  test('in another row or column', () => {
    expect(() => box.open(sealed, 'jobs.secrets:2')).toThrow(SecretUnreadable);
    expect(() => box.open(sealed, 'webhooks.login:1')).toThrow(SecretUnreadable);
  });

  test.each(Array.from({ length: sealed.length }, (_, at) => at))('with byte %d changed', (at) => {
    expect(() => box.open(changed(at), place)).toThrow(SecretUnreadable);
  });

  test.each([0, 1, 5, 20, 32])('cut to %d bytes', (length) => {
    expect(() => box.open(sealed.subarray(0, length), place)).toThrow(SecretUnreadable);
  });

  test('without its key', () => {
    expect(() => createSecretBox([old]).open(sealed, place)).toThrow(keyIdOf(current));
    expect(() => NO_SECRETS.open(sealed, place)).toThrow(SecretUnreadable);
    expect(() => NO_SECRETS.seal('secret', place)).toThrow('no encryption key');
  });
});

test('the first key encrypts, and the others still decrypt', () => {
  const before = createSecretBox([old]).seal('secret', place);
  const rotated = createSecretBox([current, old]);
  expect(rotated.open(before, place)).toBe('secret');
  expect(createSecretBox([current]).open(rotated.seal('secret', place), place)).toBe('secret');
});

test.each([
  ['hexadecimal', current.toString('hex'), true],
  ['capitals', current.toString('hex').toUpperCase(), true],
  ['base64', current.toString('base64'), true],
  ['base64url', current.toString('base64url'), true],
  ['a digit too few', current.toString('hex').slice(1), false],
  ['31 bytes', current.subarray(1).toString('hex'), false],
  ['zeros', '0'.repeat(64), false],
  ['a word again and again', Buffer.from('password'.repeat(4)).toString('hex'), false],
  ['a sentence', 'correct horse battery staple', false],
  ['nothing', '', false],
])('an encryption key as %s: %#', (_, text, isKey) => {
  expect(parseEncryptionKey(text) !== null).toBe(isKey);
});

describe('the key file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leadengine-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is made for this user alone, and read again', async () => {
    const file = join(folder, 'data', 'encryption-key');
    expect(await readKeyFile(file)).toBeNull();
    const made = await createKeyFile(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readKeyFile(file)).toEqual(made);
    await expect(createKeyFile(file)).rejects.toThrow(/EEXIST.*ENCRYPTION_KEY/);
    expect((await readFile(file, 'utf8')).trim()).toBe(made[0]?.toString('hex'));
  });

  test('may hold several keys', async () => {
    const file = join(folder, 'keys');
    await writeFile(file, `${current.toString('hex')}\n${old.toString('base64')}\n`);
    expect(await readKeyFile(file)).toEqual([current, old]);
  });

  test.each(['', 'abc\n', `${'0'.repeat(64)}\n`, `${randomBytes(32).toString('hex')}\nabc\n`])(
    'with anything else in it is refused by name (%#)',
    async (text) => {
      const file = join(folder, 'keys');
      await writeFile(file, text);
      await expect(readKeyFile(file)).rejects.toThrow(`${file} holds no encryption key`);
    },
  );

  test('that cannot be stored names the setting', async () => {
    const file = join(folder, 'plain', 'encryption-key');
    await writeFile(join(folder, 'plain'), '');
    await chmod(join(folder, 'plain'), 0o600);
    await expect(createKeyFile(file)).rejects.toThrow(/set ENCRYPTION_KEY/);
  });
});
