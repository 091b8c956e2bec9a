declare module 'http_ece' {
  import type { ECDH } from 'node:crypto';

  /** The receiving side of RFC 8188 and 8291. */
  export function decrypt(
    body: Buffer,
    options: { version: 'aes128gcm'; privateKey: ECDH; authSecret: string },
  ): Buffer;
}
