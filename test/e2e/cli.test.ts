import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isRunning } from '../support/proc.ts';
import { startReaper } from '../support/processes/reaper.mjs';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/** The command as its users run it: a process, in a home where nobody has set up anything. */

const root = join(import.meta.dirname, '../..');
const MAIN = join(root, 'dist/cli/main.js');

let home: string;
let site: Site;
let first: Ended;
const reaper = startReaper();

/** The page `/last` is answered once this is called. */
let release = () => {};
let released = Promise.resolve();
const hold = () => {
  released = new Promise((resolve) => {
    release = resolve;
  });
};

const CHAPTERS = ['/1', '/2', '/3', '/4'];
const html = (title: string, body: string) => `<title>${title}</title><h1>${title}</h1><p>${body}</p>`;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'leadengine-cli-'));
  const links = [...CHAPTERS, '/last'].map((path) => `<a href="${path}">${path}</a>`).join(' ');
  site = await startSite({
    pages: {
      '/': html('Book', `Everything about it. ${links}`),
      ...Object.fromEntries(CHAPTERS.map((path) => [path, html(`Chapter ${path}`, `Text of ${path}.`)])),
      '/last': async (_request, response) => {
        await released;
        response.setHeader('content-type', 'text/html').end(html('The end', 'They lived.'));
      },
      '/large': html('Large', 'word '.repeat(400_000)),
      '/imprint': html(
        'Oak Joinery Ltd',
        '1 Mill Lane, Leeds LS1 4AB <a href="mailto:info@oak-joinery.co.uk">info@oak-joinery.co.uk</a>',
      ),
    },
    otherwise: (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end(html('Nothing here', 'Sorry.'));
    },
  });
  first = await run('scrape', `${site.url}/1`);
  const { pid } = JSON.parse(await readFile(join(home, 'data/leadengine/server.json'), 'utf8'));
  reaper.watch(-pid);
}, 240_000);

afterAll(async () => {
  release();
  await run('down');
  await site?.close();
  await rm(home, { recursive: true, force: true });
  reaper.end();
}, 120_000);

describe('the first use', () => {
  test('starts a server, says so, and prints the page', () => {
    expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Text of /1.') });
    expect(first.stderr).toMatch(/starting one in the background/);
    expect(first.stderr).toMatch(/it runs on http:\/\/127\.0\.0\.1:\d+.*`leadengine down` stops it/);
  });

  test('is the only one that does', async () => {
    const second = await run('scrape', `${site.url}/2`);
    expect(second).toEqual({ exitCode: 0, stdout: '# Chapter /2\n\nText of /2.\n', stderr: '' });
  });
});

describe('a page', () => {
  test('is JSON with --json, or what --format and --extract name', async () => {
    const whole = JSON.parse((await run('scrape', `${site.url}/1`, '--json')).stdout);
    expect(whole).toMatchObject({ title: 'Chapter /1', status_code: 200, markdown: expect.any(String) });
    expect((await run('scrape', `${site.url}/1`, '-f', 'text')).stdout).toBe('Chapter /1\n\nText of /1.\n');
    const extracted = await run('scrape', `${site.url}/1`, '--extract', 'heading=h1');
    expect(JSON.parse(extracted.stdout)).toEqual({ heading: 'Chapter /1' });
  });

  test('with an error status is printed, and the command fails', async () => {
    const { exitCode, stdout, stderr } = await run('scrape', `${site.url}/nothing`);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('Nothing here');
    expect(stderr).toMatch(/^leadengine: .*\(http_client_error\)\n$/);
  });

  test('that is larger than a pipe ends quietly when its reader leaves', async () => {
    const { exitCode, stdout, stderr } = await shell(
      `set -o pipefail; ${process.execPath} ${MAIN} scrape ${site.url}/large --full -f text | head -c 9`,
    );
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: 'Large\n\nwo', stderr: '' });
  });
});

describe('a mistake is one line with the cure, and an exit code', () => {
  test.each([
    [['scrape', 'example.com'], 2, 'did you mean https://example.com?'],
    [['scrape', 'http://10.0.0.1/'], 2, 'EGRESS_ALLOW'],
    [['leads'], 2, 'what to look for?'],
    [['leads', 'joiners', '-o', 'leads.doc'], 2, '.xlsx'],
    [['--key', 'wrong', 'stats'], 5, 'leadengine login'],
    [['jobs', 'show', '00000000-0000-7000-8000-000000000000'], 6, 'leadengine jobs'],
    [['--server', 'http://127.0.0.1:1234567', '--key', 'k', 'stats'], 2, 'expected the URL'],
  ])('%j', async (args, exitCode, cure) => {
    const ended = await run(...args);
    expect(ended).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(cure) });
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('of a server that is away', async () => {
    const gone = await startSite({ pages: {} });
    await gone.close();
    const ended = await run('--server', gone.url, '--key', 'k', 'scrape', 'https://example.com/');
    expect(ended).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('ECONNREFUSED') });
  });

  test('of arguments shows what is there', async () => {
    expect(await run('scrap')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('scrape') });
  });
});

describe('a crawl', () => {
  const folder = () => join(home, 'book');
  const files = async () => (await readdir(folder())).filter((name) => name.endsWith('.md')).sort();
  const crawl = (...more: string[]) => ['crawl', `${site.url}/`, '-o', folder(), ...more];
  /** A crawl of which all pages but the last are written. */
  const untilLast = async () => {
    const command = begin(...crawl('--json'));
    await waitFor(() => command.stdout().trim().split('\n').length === 5, { what: 'five pages' });
    return command;
  };

  test('that is interrupted is cancelled, and goes on with the same command', async () => {
    hold();
    const command = await untilLast();
    command.child.kill('SIGINT');
    const ended = await command.ended;
    expect(ended.exitCode).toBe(130);
    expect(ended.stderr).toMatch(/interrupted\n$/);
    const [job] = linesOf((await run('jobs', '--json', '-n', '1')).stdout);
    expect(job).toMatchObject({ status: 'cancelled' });
    expect(await files()).toEqual(['1.md', '2.md', '3.md', '4.md', 'index.md']);

    const killed = begin(...crawl());
    await waitFor(
      async () => linesOf((await run('jobs', '--json', '-n', '1')).stdout)[0]?.status === 'running',
    );
    killed.child.kill('SIGKILL');
    await killed.ended;

    release();
    const last = await run(...crawl());
    expect(last).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/1 new, 0 changed, 0 unchanged/),
    });
    expect(last.stderr).toContain(job?.job_id);
    expect(await files()).toEqual(['1.md', '2.md', '3.md', '4.md', 'index.md', 'last.md']);
    expect(await readFile(join(folder(), 'last.md'), 'utf8')).toContain('They lived.');
  });

  test('of a finished folder rewrites what has changed', async () => {
    const before = await stat(join(folder(), '1.md'));
    const again = await run(...crawl());
    expect(again.stderr).toContain('0 new, 0 changed, 6 unchanged');
    expect((await stat(join(folder(), '1.md'))).mtimeMs).toBe(before.mtimeMs);
  });
});

test('leads are lines, or a file of the kind that its name says', async () => {
  const lines = await run('leads', '--site', `${site.url}/imprint`);
  expect(lines.stdout).toMatch(/^Oak Joinery Ltd\tinfo@oak-joinery\.co\.uk\t/);
  for (const [name, beginning] of [
    ['leads.xlsx', 'PK'],
    ['leads.csv', '\ufeffcompany,'],
    ['leads.json', '[\n  {'],
  ] as const) {
    const ended = await run('leads', '--site', `${site.url}/imprint`, '-o', join(home, name));
    expect(ended).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringContaining('1 leads') });
    expect((await readFile(join(home, name), 'utf8')).slice(0, beginning.length)).toBe(beginning);
  }
});

test('a map is one address per line', async () => {
  const { stdout } = await run('map', `${site.url}/`);
  expect(stdout.split('\n')).toEqual(expect.arrayContaining([`${site.url}/`, `${site.url}/3`]));
});

test('what happened is listed, and followed', async () => {
  const watching = begin('logs', '-f', '--type', 'job.completed');
  await waitFor(() => watching.stdout().includes('job.completed'));
  const before = linesOf((await run('jobs', '--json')).stdout).length;
  await run('scrape', `${site.url}/3`);
  const [job] = linesOf((await run('jobs', 'list', '--json', '-n', '1')).stdout);
  expect(linesOf((await run('jobs', '--json')).stdout).length).toBe(before + 1);
  await waitFor(() => watching.stdout().includes(job?.job_id ?? 'none'));
  watching.child.kill('SIGINT');
  expect((await watching.ended).exitCode).toBe(130);
  const watched = await run('watch', job?.job_id ?? '');
  expect(watched).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('job.completed') });
  expect((await run('jobs', 'show', job?.job_id ?? '')).stdout).toContain(`${site.url}/3`);
  expect((await run('stats')).stdout).toMatch(/^jobs +\d+ accepted/m);
});

test('a login is kept where only its owner can read it, and forgotten', async () => {
  const data = join(home, 'data/leadengine');
  const { url } = JSON.parse(await readFile(join(data, 'server.json'), 'utf8'));
  const key = await readFile(join(data, 'api-key'), 'utf8');
  const wrong = begin('login', '--server', url);
  wrong.child.stdin.end('le_wrong\n');
  expect((await wrong.ended).exitCode).toBe(5);
  const login = begin('login', '--server', url);
  login.child.stdin.end(key);
  expect((await login.ended).exitCode).toBe(0);
  const file = join(home, 'config/leadengine/login.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await run('jobs', '-n', '1')).exitCode).toBe(0);
  await run('logout');
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('shells can read the completion, and bash completes', async () => {
  const completed = await shell(
    `source <(${process.execPath} ${MAIN} completion bash)
     COMP_WORDS=(leadengine jobs ca); COMP_CWORD=2; _leadengine; echo "\${COMPREPLY[@]}"
     COMP_WORDS=(leadengine scrape --form); COMP_CWORD=2; _leadengine; echo "\${COMPREPLY[@]}"`,
  );
  expect(completed).toMatchObject({ exitCode: 0, stdout: 'cancel\n--format\n' });
  for (const name of ['zsh', 'fish']) {
    expect((await run('completion', name)).stdout).toContain('Completion of leadengine');
  }
});

test('the server is stopped by `down`, and nothing is left of it', async () => {
  const { pid } = JSON.parse(await readFile(join(home, 'data/leadengine/server.json'), 'utf8'));
  expect(await run('down')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('it has stopped') });
  expect(isRunning(pid)).toBe(false);
  expect(await run('stats')).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('leadengine up') });
});

interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

function begin(...args: string[]) {
  return start(process.execPath, [MAIN, ...args]);
}

/** To its end, without input. */
async function run(...args: string[]): Promise<Ended> {
  const command = begin(...args);
  command.child.stdin.end();
  return command.ended;
}

const shell = (script: string): Promise<Ended> => start('bash', ['-c', script]).ended;

function start(program: string, args: string[]) {
  const child = spawn(program, args, {
    cwd: home,
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' },
      ...{ XDG_CONFIG_HOME: join(home, 'config'), XDG_DATA_HOME: join(home, 'data') },
      ...{ EGRESS_ALLOW: '127.0.0.1', HOST_GAP_MS: '0', PORT: '0' },
      ...(process.env.CHROMIUM_PATH ? { CHROMIUM_PATH: process.env.CHROMIUM_PATH } : {}),
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return { child, ended, stdout: () => stdout };
}

const linesOf = (text: string): { job_id: string; status: string }[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
