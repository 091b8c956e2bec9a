// `node scripts/run.mjs api/main.js`: the set-up, then one compiled program in this process.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { takeNoArguments } from './help.mjs';
import { setup } from './setup.mjs';
import { endWithNpm, root, runScript, SetupError } from './steps.mjs';

await runScript(async () => {
  const [, , entry = '', ...args] = process.argv;
  if (!entry.startsWith('bench/')) takeNoArguments(commandOf(entry), args);
  endWithNpm();
  await setup({ browser: needsBrowser(entry) });
  const program = join(root, 'dist', entry);
  if (!/\.js$/.test(entry) || !existsSync(program)) {
    throw new SetupError(`there is no program ${entry}: give a compiled one, such as api/main.js`);
  }
  // The program finds its arguments at their usual index.
  process.argv.splice(1, 2, program);
  await import(pathToFileURL(program).href);
});

/**
 * The npm script that runs this program; `api` if there is none: the check above then reports the
 * error.
 */
function commandOf(entry) {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.keys(scripts).find((name) => scripts[name].endsWith(`scripts/run.mjs ${entry}`)) ?? 'api';
}

function needsBrowser(entry) {
  return /^(workers\/scraper|bench)\//.test(entry);
}
