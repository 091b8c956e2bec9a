// `npm run chaos -- --driver fleet --minutes 30 --seed 7`: compiles product and harness to a
// temporary folder, so that neither a concurrent rebuild nor a mutated copy touches the checkout,
// and runs main.ts there.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setup } from '../../scripts/setup.mjs';
import { capture, endWithNpm, excerpt, root, runScript, SetupError } from '../../scripts/steps.mjs';

await runScript(async () => {
  endWithNpm();
  await setup();
  const build = mkdtempSync(join(tmpdir(), 'leadengine-chaos-build-'));
  try {
    await compileInto(build);
    process.exitCode = await runMain(build);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
});

async function compileInto(build) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const config = join(root, 'test', 'chaos', 'tsconfig.json');
  const args = [compiler, '-p', config, '--outDir', build, '--pretty', 'false'];
  const { output } = await capture(process.execPath, args);
  // Type errors still compile: `npm run check` reports those.
  if (!existsSync(join(build, 'test', 'chaos', 'main.js'))) throw new SetupError(excerpt(output));
  writeFileSync(join(build, 'package.json'), '{"type":"module"}\n');
  symlinkSync(join(root, 'node_modules'), join(build, 'node_modules'));
}

async function runMain(build) {
  const program = [
    process.execPath,
    '--enable-source-maps',
    join(build, 'test', 'chaos', 'main.js'),
    ...process.argv.slice(2),
  ];
  // In a private mount namespace, the small disk disappears with the last process, however that
  // ends.
  const privately = ['unshare', '--mount', '--propagation', 'private'];
  const mayMount = (await capture(privately[0], [...privately.slice(1), 'true'])).exitCode === 0;
  const [file, ...args] = mayMount ? [...privately, ...program] : program;
  const child = spawn(file, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, CHAOS_MAY_MOUNT: mayMount ? '1' : '' },
  });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
}
