const KEY_BYTES = 32;
/** Of 32 random bytes about 30 differ; a typed text or a row of zeros has far fewer. */
const MIN_DISTINCT = 16;

export const ENCRYPTION_KEY_FORMAT =
  'expected 32 random bytes as 64 hexadecimal digits or as base64, such as the output of `openssl rand -hex 32`; several keys are separated by commas, the first one encrypts';

/** 32 random bytes, hexadecimal or base64; null for anything else. */
export function parseEncryptionKey(text: string): Buffer | null {
  const key = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : null;
  return key?.length === KEY_BYTES && new Set(key).size >= MIN_DISTINCT ? key : null;
}
