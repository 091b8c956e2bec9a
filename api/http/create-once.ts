import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { Database, Sql } from '../../db/connect.ts';
import { keepAnswer, takeAnswerKey } from '../../db/idempotent-answers.ts';
import { keyOf } from '../middleware/authentication.ts';
import { hashBody, idempotencyConflict, idempotencyKeyOf } from './idempotency.ts';
import { type ApiRequest, type ApiResponse, type Handler, sendJson } from './route.ts';
import { readBody, requireNoQuery } from './validation.ts';

/** What was created, as it is answered. */
export interface Created {
  /** Default: 201. */
  status?: number;
  body: unknown;
  location?: string;
  /** Runs after the commit. */
  onCommit?: () => void;
}

/**
 * A POST that creates something once per `Idempotency-Key`: the same body gets the first answer
 * again, a different one 409. Key, answer and created rows are one transaction.
 *
 * @param whenEmpty the body of a request without one; default: it is refused
 * @param sealed the answer holds a secret that is stored nowhere else: it is encrypted with the
 *   caller's API key
 * @param preview what is answered to a request that creates nothing; undefined if it is not one. It
 *   may take long, so it is in no transaction
 */
export const createOnce =
  <Body>(
    database: Database,
    schema: z.ZodType<Body>,
    create: (sql: Sql, body: Body, response: ApiResponse, request: ApiRequest) => Promise<Created>,
    {
      sealed = false,
      whenEmpty,
      preview,
    }: {
      sealed?: boolean;
      whenEmpty?: object;
      preview?: (body: Body, response: ApiResponse) => Promise<unknown | undefined>;
    } = {},
  ): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const key = idempotencyKeyOf(request);
    const body = await readBody(request, schema, whenEmpty);
    const seen = await preview?.(body, response);
    if (seen !== undefined) return sendJson(response, 200, seen);
    const { caller, route } = response.locals;
    const created = await database.transaction(async (sql) => {
      if (key === undefined) return create(sql, body, response, request);
      const answerKey = { userId: caller.userId, route, key, bodyHash: hashBody(asked(request, body)) };
      const seal = sealed ? sealFor(request, key) : OPEN;
      const first = await takeAnswerKey(sql, answerKey);
      if (first === null) {
        const fresh = await create(sql, body, response, request);
        await keepAnswer(
          sql,
          answerKey,
          seal.close(JSON.stringify({ status: fresh.status, body: fresh.body, location: fresh.location })),
        );
        return fresh;
      }
      const answer = first.bodyHash === answerKey.bodyHash ? seal.open(first.answer) : null;
      if (answer === null) throw idempotencyConflict();
      return JSON.parse(answer) as Created;
    });
    created.onCommit?.();
    sendJson(
      response,
      created.status ?? 201,
      created.body,
      created.location ? { location: created.location } : {},
    );
  };

/** What a key identifies: the body, and what the path names. */
const asked = ({ params }: ApiRequest, body: unknown): unknown =>
  Object.keys(params).length > 0 ? { params, body } : body;

interface Seal {
  close(text: string): string;
  /** Null if it was sealed with another API key. */
  open(text: string): string | null;
}

const OPEN: Seal = { close: (text) => text, open: (text) => text };

/** The database has only the API key's hash, so a copy of the database is not enough to open it. */
function sealFor(request: ApiRequest, key: string): Seal {
  const secret = Buffer.from(hkdfSync('sha256', keyOf(request) ?? '', key, 'idempotent answer', 32));
  return {
    close: (text) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', secret, iv);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open: (text) => {
      const bytes = Buffer.from(text, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
  };
}
