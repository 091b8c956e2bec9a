/**
 * Explains a connection error in one line that names the setting and the remedy; undefined for
 * other errors.
 */
export function explainPostgresFailure(error: unknown): string | undefined {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  const said = message || code;
  const cure = BY_CODE[code] ?? BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
  return cure && `DATABASE_URL: ${cure} (${said})`;
}

const CERTIFICATE =
  'the server’s certificate is not trusted: set sslrootcert to the file of its authority, or sslmode=require to encrypt without verifying';

const HANGS_UP =
  'what listens there hangs up: if it is no Postgres, correct host and port; if it is one, see its log';

const BY_CODE: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there: start the server, or correct host and port',
  ECONNRESET: HANGS_UP,
  ENOTFOUND: 'the host is not known: correct its name',
  EAI_AGAIN: 'the host’s name cannot be looked up now: check the name server, or correct the host',
  EHOSTUNREACH: 'the host cannot be reached: check network and firewall, or correct the host',
  ENETUNREACH: 'the host cannot be reached: check network and firewall, or correct the host',
  ETIMEDOUT: 'the host does not answer: check network and firewall, or correct host and port',
  ENOENT: 'there is no socket of a server in that folder: start the server, or correct host and port',
  EACCES: 'this user may not use the server’s socket: correct its permissions, or connect by TCP',
  '28P01': 'user or password are wrong: correct them',
  '28000': 'the server does not let this user in: check user, host and sslmode against its pg_hba.conf',
  '3D000': 'there is no such database: create it, or correct the name',
  '42501': 'this user lacks a privilege: make it owner of the database',
  '53100': 'the server’s disk is full: make room there',
  '53300': 'the server takes no more connections: raise its max_connections, or lower DATABASE_POOL_SIZE',
  '25006': 'the server takes no writes: connect to the primary',
  '57P03': 'the server is starting or stopping: it is waited for',
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CERTIFICATE,
  CERT_HAS_EXPIRED: 'the server’s certificate has expired: renew it',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the server’s certificate is for another host: use the name in it, or sslmode=verify-ca',
};

const BY_MESSAGE: [RegExp, string][] = [
  [/connection terminated unexpectedly/i, HANGS_UP],
  [
    /does not support SSL/i,
    'the server speaks no TLS: set sslmode=prefer or sslmode=disable, or turn TLS on there',
  ],
  [
    /unsupported startup parameter/i,
    'the pooler does not know a parameter: leave `options` out, or add it to PgBouncer’s ignore_startup_parameters',
  ],
  [/no such database/i, 'there is no such database: create it, or correct the name'],
  [
    /password must be a string|no password supplied|fe_sendauth/i,
    'the server wants a password: add it behind the user',
  ],
  [
    /timeout expired|timeout exceeded|terminated due to connection timeout/i,
    'the host does not answer: check network and firewall, or correct host and port',
  ],
];
