import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ArtifactStore } from '../../../core/jobs/artifacts.ts';
import { connect } from '../../../db/connect.ts';
import { statement } from '../../../db/statement.ts';
import { createPruner } from '../../../dispatch/pruner.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { openArtifactStore } from '../../../storage/open.ts';
import { type Fleet, startFleet } from '../../support/processes/fleet.ts';
import { type S3Server, startS3 } from '../../support/servers/s3.ts';
import { type Site, startSite } from '../../support/servers/site.ts';

/**
 * Pictures and documents outside the database: one suite for every kind of store, and their path
 * through an installation.
 */

let s3: S3Server;
let folder: string;
beforeAll(async () => {
  s3 = await startS3();
  folder = await mkdtemp(join(tmpdir(), 'leadengine-artifacts-'));
});
afterAll(async () => {
  await s3.close();
  await rm(folder, { recursive: true, force: true });
});

const JOB = '0190a1b2-0000-7000-8000-000000000001';
const OTHER = '0190a1b2-0000-7000-8000-000000000002';
const png = (text: string) => ({ contentType: 'image/png', body: Buffer.from(text) });
const at = (position: number, name = 'screenshot.png', jobId = JOB) => ({ jobId, position, name });

describe.each(['files', 's3'])('the store %s', (kind) => {
  let store: ArtifactStore;
  beforeEach(() => {
    const opened = openArtifactStore(kind === 's3' ? s3.url : pathToFileURL(join(folder, 'files')).href);
    if (!opened) throw new Error('no store');
    store = opened;
  });

  it('stores bytes unchanged, and replaces them', async () => {
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    await store.put(at(0), { contentType: 'image/png', body });
    expect(await store.get(at(0))).toEqual(body);
    await store.put(at(0), png('second'));
    expect((await store.get(at(0)))?.toString()).toBe('second');
  });

  it('has no artifact that was not stored', async () => {
    expect(await store.get(at(77))).toBeNull();
  });

  it('deletes all artifacts of a job and none of another, idempotently', async () => {
    for (const position of [0, 1, 2, 3, 4]) await store.put(at(position), png('x'));
    await store.put(at(0, 'page.pdf', OTHER), png('other'));
    await store.deleteJob(JOB);
    await store.deleteJob(JOB);
    expect(await Promise.all([0, 1, 2, 3, 4].map((position) => store.get(at(position))))).toEqual(
      Array.from({ length: 5 }, () => null),
    );
    expect((await store.get(at(0, 'page.pdf', OTHER)))?.toString()).toBe('other');
  });
});

it('a store that is down, or rejects the credentials, causes an error and no loss', async () => {
  const wrong = openArtifactStore(s3.url.replace('test-key', 'no-key')) as ArtifactStore;
  await expect(wrong.put(at(0), png('x'))).rejects.toThrow('403 SignatureDoesNotMatch');
  s3.isDown = true;
  await expect((openArtifactStore(s3.url) as ArtifactStore).put(at(0), png('x'))).rejects.toThrow('503');
  s3.isDown = false;
});

describe.each(['files', 's3'])('an installation with %s', (kind) => {
  let site: Site;
  let fleet: Fleet;
  let url: string;
  beforeAll(async () => {
    url = kind === 's3' ? s3.url : pathToFileURL(join(folder, 'installation')).href;
    site = await startSite({ pages: { '/': '<title>A page</title><h1>Hello</h1>' } });
    fleet = await startFleet({ driver: 'embedded', workers: 1, env: { ARTIFACTS_URL: url } });
  });
  afterAll(async () => {
    await fleet.stop();
    await site.close();
  });

  const kept = async () =>
    kind === 's3'
      ? [...s3.objects.keys()].filter((key) => !key.includes(JOB) && !key.includes(OTHER))
      : await readdir(join(folder, 'installation'), { recursive: true }).then((names) =>
          names.filter((name) => /png|pdf/.test(name)),
        );

  it('serves them only to their owner, and they are deleted with their job', async () => {
    const id = await fleet.client.post({ urls: [`${site.url}/`], formats: ['screenshot', 'pdf'] });
    expect((await fleet.client.until(id, 'completed', 'failed')).status).toBe('completed');
    const [page] = await fleet.client.pages(id);
    const picture = await fleet.client.request('GET', String(page?.screenshot));
    expect(
      Buffer.from(await picture.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    const document = await fleet.client.request('GET', String(page?.pdf));
    expect((await document.text()).slice(0, 5)).toBe('%PDF-');
    const unauthenticated = await fetch(`${fleet.api.ready.url}${page?.screenshot}`, {
      headers: { 'x-api-key': 'no' },
    });
    expect(unauthenticated.status).toBe(401);
    expect(await kept()).toHaveLength(2);

    const database = connect({
      ...{ url: String(fleet.env.DATABASE_URL), poolSize: 2, applicationName: 'artifacts-test' },
      logger: silentLogger,
    });
    try {
      const inDatabase = await database.query<{ body: Buffer | null }>(
        statement('test_bodies', 'SELECT body FROM artifacts WHERE job_id = $1'),
        [id],
      );
      expect(inDatabase.map(({ body }) => body)).toEqual([null, null]);
      await database.query(statement('test_delete_job', 'DELETE FROM jobs WHERE id = $1'), [id]);
      const artifacts = openArtifactStore(url);
      const prune = createPruner({
        database,
        artifacts,
        retentionDays: 30,
        auditRetentionDays: 365,
        logger: silentLogger,
      });
      await prune();
      const folders = await database.query(statement('test_folders', 'SELECT name FROM artifact_folders'));
      expect(folders).toEqual([]);
    } finally {
      await database.stop();
    }
    expect(await kept()).toEqual([]);
  });
});
