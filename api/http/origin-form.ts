/**
 * A request target in origin form; the absolute form `http://host/path` loses its host (RFC 9112,
 * 3.2.2).
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const [, path] = /^https?:\/\/[^/?#]*(.*)$/is.exec(target) ?? [];
  if (path === undefined) return target;
  return path.startsWith('/') ? path : `/${path}`;
}
