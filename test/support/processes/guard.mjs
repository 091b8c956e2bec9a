import { spawn } from 'node:child_process';

/**
 * Ends what a test run that was itself killed leaves behind: frozen workers, a broker and a Postgres would otherwise stay for ever.
 *
 * @typedef {object} Guard
 * @property {(pid: number) => void} watch a process; negative: the group of that number
 * @property {(pid: number) => void} forget
 * @property {() => void} end everything was ended in order
 */

/** Reads `+pid` and `-pid` a line until its standard input closes, which is when its starter does, however that comes. */
const SCRIPT = `
let text = '';
process.stdin.on('data', (chunk) => { text += chunk; });
process.stdin.on('end', () => {
  const pids = new Set();
  for (const line of text.split('\\n')) {
    const pid = Number(line.slice(1));
    if (line[0] === '+') pids.add(pid);
    else if (line[0] === '-') pids.delete(pid);
  }
  for (const pid of pids) { try { process.kill(pid, 'SIGKILL'); } catch {} }
  const [folder] = process.argv.slice(1);
  const remove = () => require('node:fs').rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  if (folder) setTimeout(remove, 500);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
`;

/**
 * @param {string} [folder] is removed in the end, whichever it is
 * @returns {Guard}
 */
export function startGuard(folder) {
  const child = spawn(process.execPath, ['-e', SCRIPT, ...(folder ? [folder] : [])], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  child.stdin.unref?.();
  child.stdin.on('error', () => {});
  return {
    watch: (pid) => void child.stdin.write(`+${pid}\n`),
    forget: (pid) => void child.stdin.write(`-${pid}\n`),
    end: () => void child.stdin.end(),
  };
}
