import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'amqplib';
import express from 'express';

/**
 * What a redirect costs at least: the target from a map, 302, and the click published without waiting and without a confirm, to the same
 * exchange as ours. `PEER` is `node`, `express`, or `silent`: Node without the publish.
 */
const targets = new Map([['bench', 'https://example.com/']]);
const connection = await connect(String(process.env.RABBITMQ_URL));
const channel = await connection.createChannel();

const publish = ({ headers, socket }: IncomingMessage, code: string): void => {
  const click = {
    ...{ id: randomUUID(), type: 'link.clicked', version: '1.0', occurred_at: new Date().toISOString() },
    ...{ source: 'peer', correlation_id: randomUUID(), user_id: null },
    data: {
      code,
      address: socket.remoteAddress,
      user_agent: headers['user-agent'],
      referrer: headers.referer,
    },
  };
  channel.publish('link_events', 'link.clicked', Buffer.from(JSON.stringify(click)), { persistent: true });
};

const plain: RequestListener = (request, response) => {
  const code = (request.url ?? '').slice(3);
  const target = targets.get(code);
  if (!target) {
    response.writeHead(404, { 'content-length': 0 }).end();
    return;
  }
  response.writeHead(302, { location: target, 'content-length': 0 }).end();
  if (process.env.PEER === 'node') publish(request, code);
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

const server = createServer(process.env.PEER === 'express' ? withExpress() : plain);
server.listen(0, '127.0.0.1', () => {
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('SIGTERM', () => process.exit(0));
