import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { type Call, CommandError, UsageError } from './command.js';

/**
 * The password for a mailbox: the first line of standard input with `--password-stdin`, else asked for at the
 * terminal. Throws UsageError where there is no terminal, CommandError when it is empty or the two do not agree.
 */
export async function readPassword(call: Call): Promise<string> {
  const { stdin } = call.surroundings;
  if (call.flag('password-stdin')) {
    const password = (await readAll(stdin)).split(/\r?\n/, 1)[0] ?? '';
    if (password === '') throw new CommandError('there is no password on standard input');
    return password;
  }
  if (!('isTTY' in stdin && stdin.isTTY)) throw new UsageError('give the password with --password-stdin');
  const password = await ask(call, 'Password: ');
  if (password !== (await ask(call, 'Again: '))) throw new CommandError('the two passwords differ');
  return password;
}

/** Asks without an echo. */
function ask({ surroundings }: Call, question: string): Promise<string> {
  surroundings.err(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: surroundings.stdin, output: nowhere, terminal: true });
  return new Promise((answered, failed) => {
    lines.once('SIGINT', () => {
      lines.close();
      failed(new CommandError('interrupted'));
    });
    lines.question('', (answer) => {
      lines.close();
      surroundings.err('\n');
      answered(answer);
    });
  });
}
