import { randomUUID } from 'node:crypto';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  type CancelledNotification,
  CancelledNotificationSchema,
  isInitializeRequest,
  isJSONRPCRequest,
  type JSONRPCRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { createApiClient } from '../../mcp/api-client.ts';
import { createMcpServer } from '../../mcp/server.ts';
import type { Streams } from '../events/streams.ts';
import { BODY_LIMIT, readBytes } from '../http/body.ts';
import { parseJson } from '../http/json/read.ts';
import { invalidRequest, Problem } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, answerHeaders, type Handler } from '../http/route.ts';
import { requireNoQuery } from '../http/validation.ts';
import { keyOf } from '../middleware/authentication.ts';

/**
 * `POST /mcp`: MCP over streamable HTTP, without sessions. Each request gets a server of its own,
 * so any API process can answer any of them and a restart ends no session. The session id that
 * `initialize` hands out only names a client, so that it can cancel its own requests; there is
 * nothing to delete and no stream to open (405 for `DELETE` and `GET`).
 */
export function answerMcp({ streams, publicUrl, corsOrigins }: McpDependencies): Handler {
  const isOwnOrigin = createOwnOrigin(publicUrl, corsOrigins);
  /** Requests under way that their client can cancel. */
  const cancellable = new Map<string, StreamableHTTPServerTransport>();

  const answer = async (request: ApiRequest, response: ApiResponse, message: JSONRPCRequest) => {
    const transport = new StreamableHTTPServerTransport({});
    const server = createMcpServer(createApiClient({ url: ownUrl(request), key: keyOf(request) ?? '' }));
    const name = cancelName(request, response, message.id);
    const release = streams.open(response.locals.caller, { kind: 'mcp', beat: () => {}, end: () => {} });
    if (name) cancellable.set(name, transport);
    try {
      const closed = response.closed || new Promise((resolve) => response.once('close', resolve));
      if (isInitializeRequest(message)) response.setHeader('mcp-session-id', randomUUID());
      await server.connect(transport);
      await transport.handleRequest(request, response, message);
      // A client that disconnects has not cancelled: its job goes on.
      await closed;
    } finally {
      if (name && cancellable.get(name) === transport) cancellable.delete(name);
      release();
    }
  };

  const cancel = (request: ApiRequest, response: ApiResponse, message: CancelledNotification) => {
    const name = cancelName(request, response, message.params.requestId);
    if (name) cancellable.get(name)?.onmessage?.({ jsonrpc: '2.0', ...message });
  };

  return async (request, response) => {
    if (!isOwnOrigin(request.headers.origin)) throw foreignOrigin();
    requireNoQuery(request);
    const message = await parseJson(await readBytes(request, BODY_LIMIT));
    // It is parsed; the call may take a minute.
    response.locals.body.release();
    if (Array.isArray(message)) throw invalidRequest([{ path: '', message: 'expected one message' }]);
    for (const [header, value] of Object.entries(answerHeaders(response))) response.setHeader(header, value);
    if (isJSONRPCRequest(message)) return answer(request, response, message);
    const cancelled = CancelledNotificationSchema.safeParse(message);
    if (cancelled.success) cancel(request, response, cancelled.data);
    // Other notifications need no answer, and nothing that is not a message gets beyond this.
    await new StreamableHTTPServerTransport({}).handleRequest(request, response, message);
  };
}

interface McpDependencies {
  streams: Pick<Streams, 'open'>;
  publicUrl: string;
  /** Origins whose pages may send requests, or `*`. */
  corsOrigins: string[];
}

/**
 * A page of another site could reach an API on this machine under a name of its own (DNS
 * rebinding), so `Host` proves nothing and the origin is compared with what the operator set.
 */
function createOwnOrigin(publicUrl: string, corsOrigins: string[]): (origin: string | undefined) => boolean {
  const own = new Set([new URL(publicUrl).origin, ...corsOrigins]);
  return (origin) => origin === undefined || own.has('*') || own.has(origin);
}

const foreignOrigin = () =>
  new Problem(403, 'origin_not_allowed', 'pages of this origin may not use MCP here: see CORS_ORIGINS');

/** A client's own names for its requests are unique within a session only. */
function cancelName(request: ApiRequest, response: ApiResponse, id: unknown): string | null {
  const session = request.headers['mcp-session-id'];
  return session === undefined ? null : JSON.stringify([response.locals.caller.userId, session, id]);
}

/** Where this request came in: this process answers there. */
function ownUrl({ socket }: ApiRequest): string {
  const { localAddress = '127.0.0.1', localPort } = socket;
  return `http://${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}
