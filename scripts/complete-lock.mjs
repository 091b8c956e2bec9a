// `node scripts/complete-lock.mjs [package-lock.json]`, after an `npm install` that changed package-lock.json through a registry that does not
// carry the packages of every platform: npm then leaves them out of the lock without a word, and `npm ci` refuses such a lock
// everywhere. This adds what is missing. A package for another machine needs no more than its name, version and platform.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.mjs';

const file = process.argv[2] ?? join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([parent, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .map(([name, version]) => ({ name, version, parent, entry }))
    .filter(
      ({ name }) =>
        !lock.packages[`node_modules/${name}`] && !lock.packages[`${parent}/node_modules/${name}`],
    )
    .filter(({ name }) => platformOf(name)),
);
for (const { name, version, entry } of missing) {
  const marks = { ...(entry.dev ? { dev: true } : {}), optional: true };
  lock.packages[`node_modules/${name}`] = { version, ...platformOf(name), ...marks };
}
const byName = ([a], [b]) => a.localeCompare(b, 'en');
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byName));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${missing.length} packages added: ${missing.map(({ name }) => name).join(', ')}`);

/** `@swc/core-linux-arm64-musl` is for os linux, cpu arm64, libc musl; undefined where the name names no platform. */
function platformOf(name) {
  const known =
    /(?:^|[-/])(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|windows)-([a-z0-9]+)(?:-([a-z]+))?$/;
  const [, os, cpu, abi] = name.match(known) ?? [];
  if (!os) return undefined;
  const libc = abi?.startsWith('musl') ? ['musl'] : abi?.startsWith('gnu') ? ['glibc'] : undefined;
  return { cpu: [cpu], ...(os === 'linux' && libc ? { libc } : {}), os: [os === 'windows' ? 'win32' : os] };
}
