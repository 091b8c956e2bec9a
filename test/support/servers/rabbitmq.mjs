// A private RabbitMQ for tests, benchmarks and chaos: real, on free ports, with its own data,
// cookie and epmd, isolated from the rest of the machine. Plain JavaScript, so that it can run
// before anything is built.
import { execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startReaper } from '../processes/reaper.mjs';

/**
 * @typedef {object} PrivateBroker
 * @property {string} url         its vhost `/`, as guest
 * @property {number} port
 * @property {(name: string) => string} urlOf  the URL of a vhost
 * @property {(name: string) => Promise<string>} addVhost  makes a vhost and returns its URL; costs an Erlang start, about 1-2 s
 * @property {() => Promise<void>} start    again, on the same data and ports, after `stop` or `kill`
 * @property {() => Promise<void>} stop     orderly; data stay
 * @property {() => Promise<void>} kill     SIGKILL of the broker; data stay
 * @property {(...args: string[]) => Promise<string>} ctl  `rabbitmqctl` with these arguments; its standard output
 * @property {(queue: string) => Promise<string>} breakQueue  as after some crashes: a quorum queue of `/` that is declared, but refuses each message and consumer
 * @property {() => Promise<void>} close    ends the broker and its epmd and removes the data
 */

/**
 * Starts a broker, in about 3-5 s.
 *
 * @param {{vhosts?: string[]}} [options] `vhosts` are made at the first start, at no further cost
 * @returns {Promise<PrivateBroker>}
 * @throws {Error} where RabbitMQ is not installed, or does not start within 60 s (with the end of its log)
 */
export async function startRabbitmq({ vhosts = [] } = {}) {
  const scripts = await findScripts();
  const base = await mkdtemp(join(tmpdir(), 'leadengine-rabbitmq-'));
  const [port, distPort, epmdPort] = await freePorts(3);
  const environment = await prepare({ base, port, distPort, epmdPort, vhosts });
  const reaper = startReaper(base);
  const epmd = await startEpmd(epmdPort, environment, reaper);

  /** @type {{pid: number, ended: Promise<void>} | undefined} */
  let broker;
  const ctl = (...args) => run(join(scripts, 'rabbitmqctl'), args, environment);
  const urlOf = (vhost) => `amqp://guest:guest@127.0.0.1:${port}/${encodeURIComponent(vhost)}`;

  const start = async () => {
    broker ??= await startBroker({
      script: join(scripts, 'rabbitmq-server'),
      base,
      port,
      environment,
      reaper,
    });
  };
  const end = async (signal) => {
    if (!broker) return;
    const { pid, ended } = broker;
    broker = undefined;
    signalPid(pid, signal);
    // An orderly stop of Erlang takes seconds; one that hangs must not hang the tests.
    const late = setTimeout(() => signalPid(pid, 'SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  };
  const close = async () => {
    await end('SIGKILL');
    signalPid(epmd.pid, 'SIGTERM');
    await epmd.ended;
    await rm(base, { recursive: true, force: true });
    reaper.end();
  };

  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: urlOf('/'),
    port,
    urlOf,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    breakQueue: (queue) => ctl('eval', `ra:stop_server(quorum_queues, {'%2F_${queue}', node()}).`),
    close,
    ctl,
    addVhost: async (name) => {
      // One call instead of add_vhost and set_permissions: each rabbitmqctl starts an Erlang VM.
      const v = `<<"${name}">>`;
      await ctl(
        'eval',
        `rabbit_vhost:add(${v}, <<"test">>), rabbit_auth_backend_internal:set_permissions(<<"guest">>, ${v}, <<".*">>, <<".*">>, <<".*">>, <<"test">>).`,
      );
      return urlOf(name);
    },
  };
}

/** Not /usr/sbin: Debian's wrapper there insists on the user rabbitmq and on its home. */
async function findScripts() {
  for (const directory of ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin']) {
    try {
      await access(join(directory, 'rabbitmq-server'));
      return directory;
    } catch {
      // the next one
    }
  }
  throw new Error('RabbitMQ is not installed: apt-get install rabbitmq-server');
}

async function prepare({ base, port, distPort, epmdPort, vhosts }) {
  for (const directory of ['home', 'data', 'log']) await mkdir(join(base, directory));
  await writeFile(join(base, 'home', '.erlang.cookie'), `leadengine${process.pid}x${port}`, { mode: 0o400 });
  await writeFile(join(base, 'plugins'), '[].');
  await writeFile(join(base, 'environment'), '');
  await writeFile(join(base, 'definitions.json'), JSON.stringify(definitions(['/', ...vhosts])));
  await writeFile(
    join(base, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      'log.file.level = warning',
      'disk_free_limit.absolute = 50MB',
      // The default of 512 MB would make every test broker that big on disk.
      'raft.wal_max_size_bytes = 33554432',
      `load_definitions = ${join(base, 'definitions.json')}`,
      '',
    ].join('\n'),
  );
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: join(base, 'home'),
    RABBITMQ_MNESIA_BASE: join(base, 'data'),
    RABBITMQ_LOG_BASE: join(base, 'log'),
    RABBITMQ_PID_FILE: join(base, 'pid'),
    RABBITMQ_NODENAME: `leadengine-${port}@localhost`,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_CONFIG_FILE: join(base, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: join(base, 'environment'),
    ERL_CRASH_DUMP: join(base, 'erl_crash.dump'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(base, 'plugins'),
    // Schedulers that spin while idle cost a small machine half its speed.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
}

const definitions = (vhosts) => ({
  users: [{ name: 'guest', password: 'guest', tags: ['administrator'] }],
  vhosts: vhosts.map((name) => ({ name })),
  permissions: vhosts.map((vhost) => ({ user: 'guest', vhost, configure: '.*', write: '.*', read: '.*' })),
});

/** In the foreground as our child: the one Erlang starts by itself would outlive everything. */
async function startEpmd(port, environment, reaper) {
  const child = spawn('epmd', ['-port', String(port), '-address', '127.0.0.1'], {
    env: environment,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', () => resolve(undefined)));
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  reaper.watch(child.pid);
  void ended.then(() => reaper.forget(child.pid));
  await waitFor(() => listens(port), 10_000, 'epmd');
  return { pid: child.pid, ended };
}

async function startBroker({ script, base, port, environment, reaper }) {
  await rm(join(base, 'pid'), { force: true });
  const output = createWriteStream(join(base, 'log', 'output'), { flags: 'a' });
  await new Promise((resolve) => output.once('open', resolve));
  // Its own process group: a Ctrl-C at the terminal is for the test runner, not for the broker.
  const child = spawn(script, [], {
    cwd: base,
    env: environment,
    stdio: ['ignore', output, output],
    detached: true,
  });
  let exited = false;
  // The script and the Erlang that it starts.
  const group = -Number(child.pid);
  if (child.pid) reaper.watch(group);
  const ended = new Promise((resolve) =>
    child.once('exit', () => {
      exited = true;
      reaper.forget(group);
      output.end();
      resolve(undefined);
    }),
  );
  const failed = new Promise((_resolve, reject) => child.once('error', reject));
  const ready = waitFor(
    async () => {
      if (exited) throw new Error('RabbitMQ ended while starting');
      return listens(port);
    },
    60_000,
    'RabbitMQ',
  );
  try {
    await Promise.race([ready, failed]);
    return { pid: await readPid(join(base, 'pid')), ended };
  } catch (error) {
    if (child.pid && !exited) signalPid(child.pid, 'SIGKILL');
    const log = await readFile(join(base, 'log', 'output'), 'utf8').catch(() => '');
    throw new Error(`RabbitMQ did not start: ${log.slice(-2000)}`, { cause: error });
  }
}

async function readPid(file) {
  const pid = Number((await readFile(file, 'utf8')).trim());
  if (!Number.isInteger(pid) || pid < 2) throw new Error(`no pid in ${file}`);
  return pid;
}

function signalPid(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** RabbitMQ opens its port as the last step of starting. */
const listens = (port) =>
  new Promise((resolve) => {
    const socket = connectTcp({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  // All are open at once, so that no port is given twice.
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server.address().port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function waitFor(condition, timeoutMs, name) {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${name} did not listen within ${timeoutMs} ms`);
    await sleep(50);
  }
}

async function run(file, args, env) {
  const { stdout } = await promisify(execFile)(file, args, { env, timeout: 60_000 });
  return stdout;
}
