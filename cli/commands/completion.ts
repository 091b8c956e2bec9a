import { Argument, type Command } from 'commander';
import type { Context } from '../context.ts';
import { examples } from './arguments.ts';

/** What a shell completes: by command, its subcommands and options. */
export interface Words {
  [command: string]: { words: string[]; describes: Record<string, string> };
}

export function addCompletion(program: Command, context: () => Context): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'of which').choices(['bash', 'zsh', 'fish']))
    .summary('print the completion of a shell')
    .description('Prints a script by which a shell completes commands and options.')
    .addHelpText(
      'after',
      examples(
        ['leadengine completion bash > /etc/bash_completion.d/leadengine', 'bash'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
        ['leadengine completion zsh > "${fpath[1]}/_leadengine"', 'zsh'],
        ['leadengine completion fish > ~/.config/fish/completions/leadengine.fish', 'fish'],
      ),
    )
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      await context().output.write(SCRIPTS[shell](wordsOf(program)));
    });
}

function wordsOf(program: Command): Words {
  const words: Words = {};
  const add = (command: Command, path: string) => {
    const inner = command.commands;
    words[path] = {
      words: [
        ...inner.map((each) => each.name()),
        ...command.options.flatMap(({ long }) => (long ? [long] : [])),
        '--help',
      ],
      describes: Object.fromEntries(
        inner.map((each) => [each.name(), each.summary() || firstLine(each.description())]),
      ),
    };
    for (const each of inner) add(each, `${path} ${each.name()}`.trim());
  };
  add(program, '');
  return words;
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';

const SCRIPTS = {
  bash: (words: Words) => `# Completion of leadengine for bash.
_leadengine() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${commandsOf(words)
  .map((command) => `      "${command.includes(' ') ? command : ` ${command}`}") path="${command}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${Object.entries(words)
  .map(([command, { words: each }]) => `    "${command}") words="${each.join(' ')}" ;;`)
  .join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _leadengine leadengine
`,
  zsh: (words: Words) => `#compdef leadengine
# Completion of leadengine for zsh.
_leadengine() {
  local path="" word
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "$path $word" in
${commandsOf(words)
  .map((command) => `      "${command.includes(' ') ? command : ` ${command}`}") path="${command}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${Object.entries(words)
  .map(([command, { words: each }]) => `    "${command}") compadd -- ${each.join(' ')}; _files ;;`)
  .join('\n')}
  esac
}
_leadengine "$@"
`,
  fish: (words: Words) => `# Completion of leadengine for fish.
${Object.entries(words[''] ? words[''].describes : {})
  .map(
    ([name, text]) =>
      `complete -c leadengine -n __fish_use_subcommand -f -a ${name} -d ${JSON.stringify(text).replaceAll('$', '\\$')}`,
  )
  .join('\n')}
${Object.entries(words)
  .filter(([command]) => command !== '')
  .map(
    ([command, { words: each }]) =>
      `complete -c leadengine -n "__fish_seen_subcommand_from ${command.split(' ').at(-1)}" -a "${each.join(' ')}"`,
  )
  .join('\n')}
`,
};

const commandsOf = (words: Words) => Object.keys(words).filter((command) => command !== '');
