#!/usr/bin/env node
// The command `leadengine`. In a checkout it first does what is missing of the set-up; a published package
// is built already.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, runScript } from './steps.mjs';

if (existsSync(join(root, 'tsconfig.build.json'))) {
  const { setup } = await import('./setup.mjs');
  await runScript(() => setup({ browser: false }));
}
await import('../dist/cli/main.js');
