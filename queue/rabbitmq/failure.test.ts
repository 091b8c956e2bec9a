import { expect, test } from '@jest/globals';
import { explainFailure } from './failure.ts';

const failure = (message: string, code?: string) => Object.assign(new Error(message), code ? { code } : {});

test.each([
  [
    failure('connect ECONNREFUSED 127.0.0.1:5672', 'ECONNREFUSED'),
    'broker_unreachable',
    /RABBITMQ_HOST: nothing listens there; start/,
  ],
  [new AggregateError([], ''), 'broker_unreachable', /./],
  [
    failure('getaddrinfo ENOTFOUND brokr', 'ENOTFOUND'),
    'broker_unreachable',
    /RABBITMQ_HOST: the host is not known; correct/,
  ],
  [failure('connect ETIMEDOUT'), 'broker_unreachable', /RABBITMQ_HOST: the host does not answer; check/],
  [
    failure('Handshake terminated by server: 403 (ACCESS-REFUSED)'),
    'broker_refused',
    /wrong user, password.+RABBITMQ_USER/,
  ],
  [
    failure('Connection closed: 530 (NOT-ALLOWED) with message "vhost jobs not found"'),
    'broker_refused',
    /no such virtual host.+RABBITMQ_VHOST/,
  ],
  [
    failure('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'),
    'broker_refused',
    /no such virtual host.+RABBITMQ_VHOST/,
  ],
  [
    failure('Frame size 1345270062 exceeds maxFrameSize 67108864'),
    'broker_unreachable',
    /RABBITMQ_PORT: what listens there is no RabbitMQ/,
  ],
  [
    failure('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'),
    'broker_refused',
    /NODE_EXTRA_CA_CERTS/,
  ],
  [
    failure('Hostname/IP does not match', 'ERR_TLS_CERT_ALTNAME_INVALID'),
    'broker_refused',
    /the host name in it/,
  ],
  [
    failure('write EPROTO wrong version number', 'EPROTO'),
    'broker_unreachable',
    /speaks no TLS on this port/,
  ],
  [failure('Socket closed abruptly during opening handshake'), 'broker_unreachable', /use amqps:/],
])('%s says what to do', (error, event, reason) => {
  const explained = explainFailure(error);
  expect(explained.event).toBe(event);
  expect(explained.reason).toMatch(reason);
  expect(explained.reason).not.toContain('\n');
});
