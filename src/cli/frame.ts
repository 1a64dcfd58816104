/** Turns the table of commands into a command line: parsing, help, exit codes, errors on one line. */
import { Command, CommanderError } from 'commander';
import { printable } from '../mime/index.js';
import { Call, type CommandRow, type Surroundings, UsageError } from './command.js';

const nouns: Readonly<Record<string, string>> = {
  config: 'the configuration file',
  domain: 'managed domains',
  holder: 'whom mailboxes belong to',
  mailbox: 'mailboxes',
  alias: 'other addresses of mailboxes',
  directory: 'the directory of gestori (IGPEC)',
  registro: 'the legal log',
  hold: 'what is kept beyond its time, by order',
  notify: 'who is told of certified mail',
  queue: 'outbound mail',
};

/** Exit codes of every command. */
export const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** Runs one command line and gives its exit code. Never throws. */
export async function runCommandLine(
  table: readonly CommandRow[],
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  if (argv[0] === '--version' || argv[0] === '-V') {
    const { programVersion } = await import('../config/index.js');
    surroundings.out(`${programVersion()}\n`);
    return exitCode.ok;
  }
  let code: number = exitCode.ok;
  const program = programOf(table, surroundings, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, surroundings);
  }
}

function explain(error: unknown, { err }: Surroundings): number {
  // Commander has written its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const message = error instanceof Error ? error.message || error.name : String(error);
  err(`ceralacca: ${message.split('\n').map(printable).join('\n')}\n`);
  return error instanceof UsageError ? exitCode.usage : exitCode.failed;
}

function programOf(
  table: readonly CommandRow[],
  surroundings: Surroundings,
  done: (code: number) => void,
): Command {
  const program = new Command('ceralacca');
  prepare(program, surroundings);
  program
    .description('PEC provider (gestore di posta elettronica certificata)')
    .option('-V, --version', 'print the version');
  for (const row of table) {
    const words = row.name.split(' ');
    const verb = words.pop() ?? '';
    const parent = words.reduce((above, noun) => nounOf(above, noun, surroundings), program);
    parent.addCommand(commandOf(row, verb, surroundings, done));
  }
  return program;
}

function nounOf(program: Command, name: string, surroundings: Surroundings): Command {
  const known = program.commands.find((command) => command.name() === name);
  if (known !== undefined) return known;
  const noun = new Command(name).description(nouns[name] ?? '');
  prepare(noun, surroundings);
  program.addCommand(noun);
  return noun;
}

function prepare(command: Command, { out, err }: Surroundings): void {
  command.exitOverride().configureOutput({
    writeOut: out,
    writeErr: err,
    outputError: (text, write) => write(text.replace(/^error: /, 'ceralacca: ')),
  });
}

function commandOf(
  row: CommandRow,
  name: string,
  surroundings: Surroundings,
  done: (code: number) => void,
): Command {
  const command = new Command(name).description(row.summary);
  prepare(command, surroundings);
  for (const argument of row.arguments ?? []) {
    command.argument(argument.startsWith('[') ? argument : `<${argument}>`);
  }
  for (const { flags, description, required } of row.options ?? []) {
    const option = flags.replace(/ (\S+)$/, ' <$1>');
    if (required) command.requiredOption(option, description);
    else command.option(option, description);
  }
  if (row.config) {
    command.option('-c, --config <FILE>', 'configuration (CERALACCA_CONFIG, else config/gestore.yaml)');
  }
  if (row.json) command.option('--json', 'print JSON');
  command.action(async () => {
    const given = command.processedArgs.flat().filter((value) => value !== undefined);
    const act = row.act === true ? row.name : undefined;
    const call = new Call({ act, arguments: given, options: command.opts(), surroundings });
    const { run } = await row.load();
    done((await run(call)) ?? exitCode.ok);
  });
  return command;
}
