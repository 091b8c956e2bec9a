import { parseUrl } from '../parse-url.ts';
import type { JobSpec } from './job.ts';

/** A job's spec for answers: unchanged, but without the credentials of its proxies. */
export function redactSpec(spec: JobSpec): JobSpec {
  const { proxy } = spec;
  if (proxy === undefined) return spec;
  return {
    ...spec,
    proxy: typeof proxy === 'string' ? withoutCredentials(proxy) : proxy.map(withoutCredentials),
  };
}

function withoutCredentials(text: string): string {
  const url = parseUrl(text);
  if (!url) return '***';
  if (url.username) url.username = '***';
  if (url.password) url.password = '***';
  return url.href;
}
