// `npm run build:sdk`: compiles the SDK's package, for `import` and for `require`, into sdk/dist.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { takeNoArguments } from './help.mjs';
import { root, run, runScript } from './steps.mjs';

/** @param {string} dist where to; by default where its package.json expects it */
export async function buildSdk(dist = join(root, 'sdk', 'dist')) {
  rmSync(dist, { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const compile = (format, ...options) =>
    run(process.execPath, [
      ...[compiler, '-p', 'sdk', '--outDir', join(dist, format), '--pretty', 'false'],
      ...options,
    ]);
  await Promise.all([
    compile('esm'),
    compile('cjs', '--module', 'commonjs', '--moduleResolution', 'bundler'),
  ]);
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    // The compiler rewrites the extensions of imports in code only.
    const text = readFileSync(join(dist, name), 'utf8');
    writeFileSync(join(dist, name), text.replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"));
  }
  // Node and TypeScript take the format of a file from the package.json above it.
  writeFileSync(join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? '')).href) {
  await runScript(async () => {
    takeNoArguments('build:sdk', process.argv.slice(2));
    await buildSdk();
  });
}
