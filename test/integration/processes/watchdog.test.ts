import { spawn } from 'node:child_process';
import { join } from 'node:path';

const watchdog = join(import.meta.dirname, '..', '..', '..', 'dist', 'runtime', 'watchdog.js');

/** Runs a script with a watchdog; what it wrote to standard error. */
async function run(script: string): Promise<string> {
  const source = `import { startWatchdog } from ${JSON.stringify(watchdog)}; startWatchdog('test', { warn: console.error }); ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return said;
}

const STALL =
  'await new Promise((r) => setTimeout(r, 600)); for (const end = Date.now() + 5000; Date.now() < end; );';

test('an event loop that stands still for seconds is told, and that it goes on again', async () => {
  const said = await run(`${STALL} await new Promise((r) => setTimeout(r, 1500));`);
  const events = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).message);
  expect(events).toEqual(['event_loop_stalled', 'event_loop_recovered']);
});

test('a process that is well hears nothing of its watchdog and ends when its work does', async () => {
  expect(await run('await new Promise((r) => setTimeout(r, 4000));')).toBe('');
});
