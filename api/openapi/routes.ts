import { createHash } from 'node:crypto';
import type { RouteTable } from '../http/route.ts';
import { sendText } from '../http/route.ts';
import { requireNoQuery } from '../http/validation.ts';
import { type DescribedRoute, type OpenApiDocument, openApiDocument } from './document.ts';
import { REFERENCE_STYLE, referencePage } from './reference-page.ts';

/** The description of the API, for programs and for people; the same for everybody. */
export function openApiRoutes(routes: () => readonly DescribedRoute[]): RouteTable {
  let made: OpenApiDocument | undefined;
  let json: string | undefined;
  let page: string | undefined;
  const document = () => {
    made ??= openApiDocument(routes());
    return made;
  };
  return {
    '/openapi.json': {
      GET: {
        needs: 'nothing',
        handler: (request, response) => {
          requireNoQuery(request);
          json ??= JSON.stringify(document());
          sendText(response, 200, 'application/json; charset=utf-8', json, CACHED);
        },
      },
    },
    '/docs': {
      GET: {
        needs: 'nothing',
        handler: (request, response) => {
          requireNoQuery(request);
          page ??= referencePage(document());
          sendText(response, 200, 'text/html; charset=utf-8', page, {
            ...CACHED,
            'content-security-policy': POLICY,
          });
        },
      },
    },
  };
}

const CACHED = { 'cache-control': 'public, max-age=300' };
/** Nothing but the page itself and its one style sheet: no script, no other address. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(REFERENCE_STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
