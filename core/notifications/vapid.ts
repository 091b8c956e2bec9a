import { createECDH } from 'node:crypto';

/** What a push service knows an installation by (RFC 8292): a P-256 key pair, base64url. */
export interface VapidKeys {
  publicKey: string;
  privateKey: string;
}

/** The name under which a pair that was made is kept. */
export const VAPID_KEYS = 'vapid_keys';

export function makeVapidKeys(): VapidKeys {
  const pair = createECDH('prime256v1');
  const publicKey = pair.generateKeys('base64url');
  // A key with leading zeros comes shorter than the 32 bytes that everybody expects.
  const privateKey = Buffer.concat([Buffer.alloc(32), pair.getPrivateKey()])
    .subarray(-32)
    .toString('base64url');
  return { publicKey, privateKey };
}
