import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { OperatorError } from '../../../runtime/operator-error.ts';
import { parseConfig } from '../../../runtime/settings/config.ts';
import { chooseWorkerUser } from '../../../supervisor/worker-user.ts';

/** The compiled program, which the tests' set-up has built. */
const PROGRAM = join(import.meta.dirname, '../../../dist');
/** Anyone but root runs workers as themselves. */
const isRoot = process.getuid?.() === 0;
const OWN = { kind: 'own' };

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'leadengine-user-'));
  await chmod(dataDir, 0o711);
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const choose = (settings: Record<string, string> = {}, program = PROGRAM) =>
  chooseWorkerUser(parseConfig({ DATA_DIR: dataDir, ...settings }), program, process.env);

describe('if `npm start` is root, workers run', () => {
  test('as a user of their own, who gets their home and the artifacts', async () => {
    await mkdir(join(dataDir, 'artifacts', 'ab'), { recursive: true });
    await writeFile(join(dataDir, 'artifacts', 'ab', 'old.png'), 'x');
    const choice = await choose({ CHROMIUM_PATH: process.execPath, DIRECTORIES_FILE: '/etc/passwd' });
    const home = join(dataDir, 'worker');
    expect(choice).toEqual(
      isRoot
        ? {
            kind: 'other',
            user: {
              ...{ uid: expect.any(Number), gid: expect.any(Number), home },
              env: expect.objectContaining({ HOME: home, DIRECTORIES_FILE: '/etc/passwd' }),
            },
          }
        : OWN,
    );
    if (choice.kind !== 'other') return;
    expect(choice.user.uid).toBeGreaterThan(0);
    for (const path of ['worker', 'artifacts', 'artifacts/ab', 'artifacts/ab/old.png'])
      expect((await stat(join(dataDir, path))).uid).toBe(choice.user.uid);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
  });

  test('as the user that WORKER_USER names', async () => {
    const choice = await choose({ WORKER_USER: '12345', CHROMIUM_PATH: process.execPath });
    expect(choice).toMatchObject(isRoot ? { kind: 'other', user: { uid: 12_345, gid: 12_345 } } : OWN);
  });

  test.each<[string, () => Promise<Record<string, string>>, RegExp]>([
    ['WORKER_USER says so', async () => ({ WORKER_USER: 'root' }), /^WORKER_USER is root$/],
    [
      'the user cannot pass through DATA_DIR',
      async () => {
        await chmod(dataDir, 0o700);
        return {};
      },
      /^user \d+ cannot write to .+worker$/,
    ],
    [
      'the user cannot read a file of the settings',
      async () => {
        const file = join(dataDir, 'directories.json');
        await writeFile(file, '[]', { mode: 0o600 });
        return { DIRECTORIES_FILE: file };
      },
      /^user \d+ cannot read .+directories\.json$/,
    ],
    [
      'the user finds no browser',
      async () => ({ CHROMIUM_PATH: '/no/browser' }),
      /^user \d+ may not run the browser$/,
    ],
  ])('as root if %s', async (_name, prepare, reason) => {
    expect(await choose(await prepare())).toEqual(
      isRoot ? { kind: 'root', reason: expect.stringMatching(reason) } : OWN,
    );
  });

  test('as root if the program is in a folder of root', async () => {
    const program = join(dataDir, 'private');
    await mkdir(program, { mode: 0o700 });
    expect(await choose({}, program)).toEqual(
      isRoot ? { kind: 'root', reason: expect.stringMatching(/^user \d+ cannot read .+main\.js$/) } : OWN,
    );
  });

  test('as nobody unknown', async () => {
    const choosing = choose({ WORKER_USER: 'no-such-user' }).catch((error: unknown) => error);
    if (isRoot) expect(await choosing).toBeInstanceOf(OperatorError);
    else expect(await choosing).toEqual(OWN);
  });
});
