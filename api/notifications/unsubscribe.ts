import { escapeHtml } from '../../core/escape-html.ts';
import { readUnsubscribeToken, type Unsubscription } from '../../core/notifications/unsubscribe-token.ts';
import type { Sql } from '../../db/connect.ts';
import { unsubscribeAddress } from '../../db/notifications/subscriptions.ts';
import { unsubscribeKey } from '../../db/secrets/installation-secrets.ts';
import { notFound } from '../http/problem.ts';
import { type ApiRequest, type Handler, pathParameter, sendText } from '../http/route.ts';

/**
 * `GET /unsubscribe/{token}`, linked in mails. Shows a form: mail scanners that open links must not
 * unsubscribe users.
 */
export const confirmUnsubscribe =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { address } = await unsubscriptionOf(sql, request);
    const form = `<form method="post"><p>No more mails to ${escapeHtml(address)}?</p><button>Unsubscribe</button></form>`;
    sendText(response, 200, 'text/html; charset=utf-8', page(form), HEADERS);
  };

/**
 * `POST /unsubscribe/{token}`: the form's target, and RFC 8058 one-click. The token replaces an API
 * key.
 */
export const unsubscribeByToken =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { userId, address } = await unsubscriptionOf(sql, request);
    request.resume();
    await unsubscribeAddress(sql, userId, address);
    const done = `<p>Done: no more mails go to ${escapeHtml(address)}.</p>`;
    sendText(response, 200, 'text/html; charset=utf-8', page(done), HEADERS);
  };

const HEADERS = {
  'content-security-policy': "default-src 'none'; form-action 'self'",
  'referrer-policy': 'no-referrer',
};

async function unsubscriptionOf(sql: Sql, request: ApiRequest): Promise<Unsubscription> {
  const token = pathParameter(request, 'token');
  const unsubscription = readUnsubscribeToken(token, await unsubscribeKey(sql));
  if (!unsubscription) throw notFound('this link is not complete, or not from here');
  return unsubscription;
}

const page = (body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>LeadEngine</title><body>${body}</body></html>\n`;
