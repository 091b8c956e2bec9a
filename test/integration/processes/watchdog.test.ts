import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const watchdog = join(import.meta.dirname, '..', '..', '..', 'dist', 'runtime', 'process', 'watchdog.js');

/** Runs a script with a watchdog; returns what it wrote to standard error. */
async function run(script: string): Promise<string> {
  const child = start(script, 'console.error');
  const said = textOf(child.stderr);
  await new Promise((resolve) => child.once('close', resolve));
  return said();
}

function start(script: string, warn: string) {
  const source = `import { startWatchdog } from ${JSON.stringify(watchdog)}; startWatchdog('test', { warn: ${warn} }); ${script}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function textOf(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

const STALL =
  'await new Promise((r) => setTimeout(r, 600)); for (const end = Date.now() + 5000; Date.now() < end; );';

test('an event loop that blocks for seconds is reported, and so is its recovery', async () => {
  const said = await run(`${STALL} await new Promise((r) => setTimeout(r, 1500));`);
  const events = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).message);
  expect(events).toEqual(['event_loop_stalled', 'event_loop_recovered']);
});

test('a closed standard error does not end the watchdog', async () => {
  const child = start(`${STALL} await new Promise((r) => setTimeout(r, 1500));`, 'console.log');
  child.stderr.destroy();
  const said = textOf(child.stdout);
  await new Promise((resolve) => child.once('close', resolve));
  expect(said()).toBe('');
});

test('a healthy process gets no report and exits when its work is done', async () => {
  expect(await run('await new Promise((r) => setTimeout(r, 4000));')).toBe('');
});
