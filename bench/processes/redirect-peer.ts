import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'amqplib';
import express from 'express';
import pg from 'pg';
import { serve } from './serve.ts';

/**
 * The minimum cost of a redirect: the target from a map, 302, and the click published to the same
 * queue as ours, without waiting for its confirm. `PEER` is `node`, `express`, or `silent`: Node
 * without the publish.
 */
const targets = new Map([['bench', 'https://example.com/']]);
const { RABBITMQ_URL, DATABASE_URL, PEER } = process.env;
const { send, idle } = await (RABBITMQ_URL ? toRabbitmq(RABBITMQ_URL) : toPostgres(String(DATABASE_URL)));

interface Way {
  send(id: string, body: string): void;
  /** Whether all of it has been sent. */
  idle(): boolean;
}

/** Unconfirmed, to the exchange of ours. */
async function toRabbitmq(url: string): Promise<Way> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const { stream } = (connection as unknown as { connection: { stream: { writableLength: number } } })
    .connection;
  return {
    send: (_id, body) =>
      void channel.publish('link_events', 'link.clicked', Buffer.from(body), { persistent: true }),
    idle: () => stream.writableLength === 0,
  };
}

/** Into our table: clicks that arrive during a statement go with the next, without a limit. */
async function toPostgres(url: string): Promise<Way> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let ids: string[] = [];
  let bodies: string[] = [];
  let busy = false;
  const flush = () => {
    busy = ids.length > 0;
    if (!busy) return;
    const values = [ids, bodies];
    ids = [];
    bodies = [];
    client.query({ name: 'insert', text: INSERT, values }, flush);
  };
  return {
    send: (id, body) => {
      ids.push(id);
      bodies.push(body);
      if (!busy) setImmediate(flush);
      busy = true;
    },
    idle: () => !busy,
  };
}

const INSERT = `
  INSERT INTO queue.messages (queue, message_id, body) SELECT 'link_clicks', id, body FROM unnest($1::text[], $2::text[]) AS m (id, body)`;

const publish = ({ headers, socket }: IncomingMessage, code: string): void => {
  const id = randomUUID();
  const click = {
    ...{ id, type: 'link.clicked', version: '1.0', occurred_at: new Date().toISOString() },
    ...{ source: 'peer', correlation_id: id, user_id: null },
    data: {
      code,
      address: socket.remoteAddress,
      user_agent: headers['user-agent'],
      referrer: headers.referer,
    },
  };
  send(id, JSON.stringify(click));
};

const plain: RequestListener = (request, response) => {
  const code = (request.url ?? '').slice(3);
  const target = targets.get(code);
  if (!target) {
    response.writeHead(404, { 'content-length': 0 }).end();
    return;
  }
  response.writeHead(302, { location: target, 'content-length': 0 }).end();
  if (PEER === 'node') publish(request, code);
};

function withExpress(): RequestListener {
  const app = express();
  app.get('/r/:code', (request, response) => {
    const target = targets.get(request.params.code);
    if (!target) {
      response.sendStatus(404);
      return;
    }
    response.redirect(302, target);
    publish(request, request.params.code);
  });
  return app;
}

serve({ idle });
const server = createServer(PEER === 'express' ? withExpress() : plain);
server.listen(0, '127.0.0.1', () => {
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('SIGTERM', () => process.exit(0));
