/** Why the broker cannot be used, classified by what the operator can do about it. */
export interface Failure {
  event: 'broker_unreachable' | 'broker_refused' | 'broker_conflict';
  /** An unreachable broker may recover by itself; the others need the operator. */
  level: 'warn' | 'error';
  reason: string;
}

export function explainFailure(error: unknown): Failure {
  const text = messageOf(error);
  if (/\b403\b|ACCESS[_-]REFUSED/.test(text)) {
    return {
      event: 'broker_refused',
      level: 'error',
      reason: `wrong user, password or permissions; correct them in RABBITMQ_URL, or RABBITMQ_USER and RABBITMQ_PASSWORD: ${text}`,
    };
  }
  if (/\b530\b|NOT[_-]ALLOWED|Expected ConnectionOpenOk; got <ConnectionClose/.test(text)) {
    return {
      event: 'broker_refused',
      level: 'error',
      reason: `no such virtual host, or no access to it; correct it in RABBITMQ_URL or RABBITMQ_VHOST, or add it with rabbitmqctl add_vhost: ${text}`,
    };
  }
  if (/\b406\b|PRECONDITION[_-]FAILED/.test(text)) {
    return {
      event: 'broker_conflict',
      level: 'error',
      reason: `the broker has this queue or exchange with other arguments; delete it there: ${text}`,
    };
  }
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  if (/^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|CERT_|ERR_TLS_CERT)/.test(code)) {
    return {
      event: 'broker_refused',
      level: 'error',
      reason: `the broker's certificate is not trusted: set NODE_EXTRA_CA_CERTS to the file of its authority, and use the host name in it: ${text}`,
    };
  }
  const cure = UNREACHABLE.find(([pattern]) => pattern.test(`${code} ${text}`))?.[1];
  return { event: 'broker_unreachable', level: 'warn', reason: cure ? `${cure}: ${text}` : text };
}

const UNREACHABLE: [RegExp, string][] = [
  [
    /Frame size \d+ exceeds|Expected ConnectionStart|Invalid frame/,
    'RABBITMQ_URL, or RABBITMQ_HOST and RABBITMQ_PORT: what listens there is no RabbitMQ; correct host and port',
  ],
  [
    /ECONNREFUSED/,
    'RABBITMQ_URL or RABBITMQ_HOST: nothing listens there; start the broker, or correct host and port',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'RABBITMQ_URL or RABBITMQ_HOST: the host is not known; correct its name'],
  [
    /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/,
    'RABBITMQ_URL or RABBITMQ_HOST: the host does not answer; check network and firewall, or correct host and port',
  ],
  [
    /EPROTO|wrong version number|packet length too long/,
    'RABBITMQ_URL: the broker speaks no TLS on this port; use amqp: or its TLS port',
  ],
  [
    /closed abruptly during opening handshake|ECONNRESET/,
    'RABBITMQ_URL, or RABBITMQ_HOST and RABBITMQ_PORT: the server there hangs up at once; if it is the TLS port of RabbitMQ, use amqps:, else correct the port',
  ],
];

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node refuses `localhost` with an AggregateError, whose own message is empty.
  return error.message || String((error as { code?: unknown }).code ?? error.name);
}
