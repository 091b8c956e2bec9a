import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { serve } from './serve.ts';

/**
 * The receivers: an HTTP server that accepts everything, for webhooks and pushes, and such a mail
 * server.
 */
const http = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(201).end());
});
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

const smtp = new SMTPServer({
  disabledCommands: ['AUTH', 'STARTTLS'],
  logger: false,
  onData: (stream, _session, done) => {
    stream.resume().on('end', () => done());
  },
});
const { port } = await new Promise<AddressInfo>((resolve) => {
  const listening = smtp.listen(0, '127.0.0.1', () => resolve(listening.address() as AddressInfo));
});

serve({ addresses: () => ({ smtp: `smtp://127.0.0.1:${port}` }) });
process.on('SIGTERM', () => process.exit(0));
process.send?.({ type: 'ready', url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
