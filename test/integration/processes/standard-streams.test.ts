import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { waitFor } from '../../support/wait-for.ts';

const dist = join(import.meta.dirname, '..', '..', '..', 'dist');

/**
 * On a terminal, which util-linux's `script` provides, that blocks because the output of `script`
 * is not read.
 */
test('a terminal whose output is held does not block its writers, nor children started on it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leadengine-terminal-'));
  const program = join(folder, 'program.mjs');
  await writeFile(
    program,
    `import { writeFileSync } from 'node:fs';
     import { surviveLostOutput } from '${dist}/runtime/process/standard-streams.js';
     import { SupervisedProcess } from '${dist}/supervisor/supervised-process.js';
     surviveLostOutput();
     const logger = { error() {}, warn() {}, info() {}, debug() {} };
     const env = { PATH: process.env.PATH, CHILD_LOG: '${folder}/child' };
     const child = new SupervisedProcess({
       name: 'test', entry: '${join(import.meta.dirname, '..', '..', 'support', 'processes', 'supervised-child.mjs')}', env, stopMs: 1000, logger,
     });
     await child.start();
     for (let n = 0; n < 1000; n++) process.stdout.write('x'.repeat(200) + '\\n');
     await child.stop();
     writeFileSync('${folder}/result', String(process.stdout.isTTY));
     process.exit(0);`,
  );
  const terminal = spawn('script', ['-qfec', `${process.execPath} ${program}`, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH },
  });
  try {
    const result = () => readFile(join(folder, 'result'), 'utf8');
    expect(await waitFor(result, { what: 'the program to come to its end' })).toBe('true');
  } finally {
    terminal.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
