import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An S3-compatible store on loopback with what artifacts need: put, get, list and delete of
 * objects, addressed by path. It checks each request's signature (AWS Signature Version 4)
 * independently, from the received bytes.
 */
export interface S3Server {
  /** For `ARTIFACTS_URL`. */
  url: string;
  objects: Map<string, { contentType: string; body: Buffer }>;
  /** Answers given so far, such as `PUT 200`. */
  answers: string[];
  /** While true, every request gets a 503. */
  isDown: boolean;
  close(): Promise<void>;
}

const KEY = 'test-key';
const SECRET = 'test/secret+1';
const REGION = 'eu-test-1';

export async function startS3(): Promise<S3Server> {
  const objects: S3Server['objects'] = new Map();
  const answers: string[] = [];
  const state = { isDown: false };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'http://s3');
    const answer = (status: number, content: string | Buffer = '', type = 'application/xml') => {
      answers.push(`${request.method} ${status}`);
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(content) });
      response.end(content);
    };
    if (state.isDown) return answer(503, '<Error><Code>SlowDown</Code></Error>');
    if (!isSigned(request, url, body))
      return answer(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>');
    const [, bucket, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    if (bucket !== 'bucket') return answer(404, '<Error><Code>NoSuchBucket</Code></Error>');
    if (request.method === 'GET' && key === '') {
      const keys = [...objects.keys()].filter((name) =>
        name.startsWith(url.searchParams.get('prefix') ?? ''),
      );
      const page = keys.sort().slice(0, 2);
      const contents = page.map((name) => `<Contents><Key>${name}</Key></Contents>`).join('');
      const truncated = `<IsTruncated>${page.length < keys.length}</IsTruncated>`;
      return answer(200, `<ListBucketResult>${truncated}${contents}</ListBucketResult>`);
    }
    if (request.method === 'PUT') {
      objects.set(key, { contentType: request.headers['content-type'] ?? '', body });
      return answer(200);
    }
    if (request.method === 'DELETE') {
      objects.delete(key);
      return answer(204);
    }
    const found = objects.get(key);
    if (!found) return answer(404, '<Error><Code>NoSuchKey</Code></Error>');
    return answer(200, found.body, found.contentType);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `s3://${KEY}:${encodeURIComponent(SECRET)}@127.0.0.1:${port}/bucket/some/folder?region=${REGION}&tls=false`,
    objects,
    answers,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function isSigned(request: IncomingMessage, url: URL, body: Buffer): boolean {
  const [, credential = '', signedHeaders = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), ?SignedHeaders=(\S+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    ) ?? [];
  const [key, day = '', region, service, end] = credential.split('/');
  if (key !== KEY || region !== REGION || service !== 's3' || end !== 'aws4_request') return false;
  const stated = String(request.headers['x-amz-content-sha256']);
  if (stated !== 'UNSIGNED-PAYLOAD' && stated !== sha256(body)) return false;
  if (!signedHeaders.split(';').includes('host')) return false;
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const path = url.pathname.split('/').map((part) => encode(decodeURIComponent(part)));
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, path.join('/'), query, headers.join(''), signedHeaders, stated].join(
    '\n',
  );
  const moment = String(request.headers['x-amz-date']);
  const toSign = ['AWS4-HMAC-SHA256', moment, `${day}/${REGION}/s3/aws4_request`, sha256(canonical)].join(
    '\n',
  );
  const signingKey = [day, REGION, 's3', 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${SECRET}`);
  return timingSafeEqual(hmac(signingKey, toSign), Buffer.from(signature, 'hex'));
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest();
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
