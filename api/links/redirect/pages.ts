import type { ServerResponse } from 'node:http';
import { escapeHtml } from '../../../core/escape-html.ts';
import { page, SAFE_PAGE_HEADERS } from '../share/html.ts';

/** Pages that visitors of short links see instead of a redirect. */

const send = (
  response: ServerResponse,
  status: number,
  html: string,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, {
    ...SAFE_PAGE_HEADERS,
    'content-length': Buffer.byteLength(html),
    ...headers,
  });
  response.end(html);
};

const note = (title: string, text: string) => page(title, `<h1>${title}</h1><p>${text}</p>`);
const UNKNOWN = note('No such link', 'There is no link of this name, or not any more.');
const GONE = note('Link expired', 'The time that was set for this link is over.');
const UNAVAILABLE = note('Try again', 'This link cannot be looked up at the moment. Please try again soon.');
const NOT_ALLOWED = note('Not allowed', 'A link is followed with GET or HEAD.');

export const sendUnknown = (response: ServerResponse) => send(response, 404, UNKNOWN);
export const sendGone = (response: ServerResponse) => send(response, 410, GONE);
export const sendUnavailable = (response: ServerResponse) =>
  send(response, 503, UNAVAILABLE, { 'retry-after': '2' });
export const sendNotAllowed = (response: ServerResponse) =>
  send(response, 405, NOT_ALLOWED, { allow: 'GET, HEAD' });

export function sendPreview(response: ServerResponse, headers: readonly string[]): void {
  const location = escapeHtml(headers[1] ?? '');
  send(
    response,
    200,
    page(
      'Where this link leads',
      `<h1>Where this link leads</h1><p><a href="${location}" rel="noreferrer nofollow">${location}</a></p>`,
    ),
  );
}
