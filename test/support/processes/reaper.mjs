import { spawn } from 'node:child_process';

/**
 * Ends the processes that a killed test run leaves behind: frozen workers, a broker and a Postgres
 * would otherwise run for ever.
 *
 * @typedef {object} Reaper
 * @property {(pid: number) => void} watch a process; negative: the group of that number
 * @property {(pid: number) => void} forget
 * @property {() => void} end everything has been ended
 */

/**
 * Reads `+pid` and `-pid` per line until its standard input closes, which happens when its starter
 * ends, however it ends. Then it signals twice, since a process with children ends them cleanly at
 * the first signal and at once at the second, and kills the rest.
 */
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
  const signal = (...signals) => {
    for (const pid of pids) for (const signal of signals) {
      try { process.kill(pid, signal); } catch { pids.delete(pid); }
    }
  };
  const begun = Date.now();
  let asked = 0;
  const timer = setInterval(() => {
    const passed = Date.now() - begun;
    if (passed >= 3000) signal('SIGKILL');
    else if (passed >= asked * 1500) { signal('SIGTERM', 'SIGCONT'); asked += 1; }
    else signal(0);
    if (pids.size > 0 && passed < 3000) return;
    clearInterval(timer);
    const [folder] = process.argv.slice(1);
    const remove = () => require('node:fs').rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    if (folder) setTimeout(remove, 500);
  }, 50);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
`;

/**
 * @param {string} [folder] is removed at the end in any case
 * @returns {Reaper}
 */
export function startReaper(folder) {
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
