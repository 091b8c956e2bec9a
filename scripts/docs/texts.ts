import {
  SETTING_GROUPS,
  type Setting,
  type SettingName,
  settingsOf,
} from '../../runtime/settings/settings.ts';

// The texts generated from the declared settings. A unit test compares them with the files.

const NOTE = '`npm run docs` writes this from runtime/settings/settings.ts.';

export function envExample(): string {
  const groups = Object.entries(SETTING_GROUPS).map(([title, group]) => {
    const entries = settingsOf(group).map(([name, setting]) => {
      const { fallback, example, says, unit, unset } = setting;
      const remarks = [...(unit ? [`In ${unit}.`] : []), ...(unset ? [`Unset: ${unset}.`] : [])];
      return `${wrapped(`${says}. ${remarks.join(' ')}`.trim(), '# ')}\n#${name}=${quoted(example ?? fallback ?? '')}`;
    });
    return [`# --- ${title}`, ...entries].join('\n\n');
  });
  const head = [
    '# Copy to `.env` and change what you need; everything has a default, so an empty file will do.',
    "# The real environment wins. Quote values that hold a # or begin with a quote: NAME='a#b'.",
    `# ${NOTE}`,
  ];
  return `${[head.join('\n'), ...groups].join('\n\n')}\n`;
}

export function reference(): string {
  const groups = Object.entries(SETTING_GROUPS).map(([title, group]) => {
    const rows = settingsOf(group).map(([name, setting]) => {
      const readBy = setting.readBy.length === 6 ? 'all' : setting.readBy.join(', ');
      return `| \`${name}\` | ${shownDefault(setting)} | ${cell(setting.says)} | ${readBy} |`;
    });
    return [
      `## ${title}`,
      '',
      '| variable | default | meaning | read by |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
  return `${[`# Configuration\n\n${HEAD}`, ...groups].join('\n\n')}\n`;
}

const HEAD = `Settings come from the environment or from a file \`.env\` in the working directory
([.env.example](../../.env.example)); the environment wins, and an empty value counts as unset. A
wrong value stops the process with one line that names it. A variable whose name is nearly that of a
setting gets a line of warning.

\`.env\` is read as dotenv reads it: \`NAME=value\`, quotes around values that hold a \`#\` or blanks at
their ends, several lines within quotes. What dotenv would cut or keep silently (\`KEY=abc#def\`, a
quote that is not closed, a line without \`=\`) is refused.

"read by" names the commands: \`start\` is \`npm start\`, which passes every setting on to the
processes it runs; \`mcp\` is [the MCP server](../guide/agents.md#standard-input-and-output); the
others are \`npm run api\`, \`worker\`, \`notifier\`, \`analytics\` and \`dispatch\`.

${NOTE}`;

/** Compose's syntax for a variable of the shell or `.env`. */
const shell = (name: string, otherwise = '') => `\${${name}:-${otherwise}}`;

const COMPOSE_DATABASE = `postgres://leadengine:${shell('POSTGRES_PASSWORD', 'leadengine')}@postgres:5432/leadengine`;

/** Settings fixed by the image or the Compose file; null: not listed. */
const SET_BY_COMPOSE: Partial<Record<SettingName, string | null>> = {
  // Fixed in the container; PORT sets the port on the host.
  PORT: null,
  HOST: null,
  DATA_DIR: null,
  CHROMIUM_PATH: null,
  // For `npm start`; with Compose, use `--scale worker=4`.
  WORKERS: null,
  DATABASE_URL: shell('DATABASE_URL', COMPOSE_DATABASE),
  RABBITMQ_HOST: shell('RABBITMQ_HOST', 'rabbitmq'),
  RABBITMQ_USER: shell('RABBITMQ_USER', 'leadengine'),
  RABBITMQ_PASSWORD: shell('RABBITMQ_PASSWORD', 'leadengine'),
  PUBLIC_URL: shell('PUBLIC_URL', `http://127.0.0.1:${shell('PORT', '3000')}`),
};

const BEGIN = `# Every setting. ${NOTE}\n`;
const END = '# End of the settings.\n';

/** The Compose file with its list of settings regenerated. */
export function composeFile(text: string): string {
  const [before = '', rest = ''] = text.split(BEGIN);
  const [, after] = rest.split(END);
  if (after === undefined) throw new Error('docker-compose.yml has lost the lines around its settings');
  const entries = Object.values(SETTING_GROUPS)
    .flatMap((group) => settingsOf(group))
    // An agent starts its own process of MCP.
    .filter(([, { readBy }]) => readBy.some((process) => process !== 'mcp'))
    .map(([name]) => [name, name in SET_BY_COMPOSE ? SET_BY_COMPOSE[name] : shell(name)])
    .filter(([, value]) => value !== null);
  const list = entries.map(([name, value]) => `  ${name}: ${value}\n`).join('');
  return `${before}${BEGIN}x-environment: &environment\n${list}${END}${after}`;
}

function shownDefault({ fallback, unset, unit }: Setting): string {
  if (!fallback) return cell(unset ?? 'none');
  return unit ? `${fallback} ${unit}` : fallback;
}

const cell = (text: string) => text.replaceAll('|', '\\|');

/** A value quoted for `.env`. */
const quoted = (value: string) => (/[#\s'"]/.test(value) ? `'${value}'` : value);

function wrapped(text: string, prefix: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line && prefix.length + line.length + 1 + word.length > 100) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map((line) => `${prefix}${line}`).join('\n');
}
