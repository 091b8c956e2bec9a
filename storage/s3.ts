import { AwsClient } from 'aws4fetch';
import type { ArtifactKey, ArtifactStore } from '../core/jobs/artifacts.ts';

/**
 * Artifacts in a bucket of any S3-compatible store:
 *
 *     s3://KEY:SECRET@host[:port]/bucket[/prefix]?region=us-east-1&tls=true
 *
 * Objects are addressed by path, which every store supports. The credentials need permission to
 * put, get, list and delete below the prefix.
 */
export function createS3Store(url: string): ArtifactStore {
  const { client, bucket, prefix } = parseS3Url(url);
  const folderOf = (jobId: string) => `${prefix}${jobId}/`;
  const addressOf = (object: string) => `${bucket}/${object.split('/').map(encodeURIComponent).join('/')}`;
  const keyOf = ({ jobId, position, name }: ArtifactKey) => `${folderOf(jobId)}${position}-${name}`;

  async function request(method: string, address: string, init: RequestInit = {}): Promise<Response> {
    const response = await client.fetch(address, {
      ...init,
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (response.ok || (response.status === 404 && method !== 'PUT')) return response;
    const code = /<Code>([\w.]{1,100})<\/Code>/.exec(await response.text())?.[1];
    throw new Error(`the artifact store answered ${response.status}${code ? ` ${code}` : ''}`);
  }

  return {
    async put(key, { contentType, body }) {
      const response = await request('PUT', addressOf(keyOf(key)), {
        body: new Uint8Array(body),
        headers: { 'content-type': contentType, 'content-length': String(body.length) },
      });
      await response.body?.cancel();
    },
    async get(key) {
      const response = await request('GET', addressOf(keyOf(key)));
      if (response.status !== 404) return Buffer.from(await response.arrayBuffer());
      await response.body?.cancel();
      return null;
    },
    async delete(key) {
      const response = await request('DELETE', addressOf(keyOf(key)));
      await response.body?.cancel();
    },
    async deleteJob(jobId) {
      // One DELETE per object: stores differ in the call that deletes many.
      for (;;) {
        const query = new URLSearchParams({ 'list-type': '2', prefix: folderOf(jobId), 'max-keys': '1000' });
        const listed = await (await request('GET', `${bucket}?${query}`)).text();
        const objects = [...listed.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapeXml(key));
        for (const object of objects) {
          const response = await request('DELETE', addressOf(object));
          await response.body?.cancel();
        }
        if (objects.length === 0 || !/<IsTruncated>true</.test(listed)) return;
      }
    },
  };
}

const REQUEST_TIMEOUT_MS = 60_000;
/** With pauses that double from 50 ms: a restart of the store does not cost an attempt. */
const RETRIES = 5;

function parseS3Url(text: string): { client: AwsClient; bucket: string; prefix: string } {
  const url = new URL(text);
  const [bucketName = '', ...folders] = url.pathname.split('/').filter(Boolean);
  const scheme = url.searchParams.get('tls') === 'false' ? 'http' : 'https';
  const client = new AwsClient({
    accessKeyId: decodeURIComponent(url.username),
    secretAccessKey: decodeURIComponent(url.password),
    service: 's3',
    region: url.searchParams.get('region') ?? 'us-east-1',
    retries: RETRIES,
  });
  return {
    client,
    bucket: `${scheme}://${url.host}/${bucketName}`,
    prefix: folders.map((folder) => `${decodeURIComponent(folder)}/`).join(''),
  };
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescapeXml = (text: string) => text.replace(/&(\w+);/g, (all, name: string) => ENTITIES[name] ?? all);
