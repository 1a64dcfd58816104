/** APPEND (RFC 9051 6.3.12; RFC 3502 MULTIAPPEND; RFC 4466; RFC 6855 4; RFC 7889). Its octets go into the spool as they come. */
import { StoreConflict } from '../../storage/index.js';
import { writeSet } from '../../wire/imap/index.js';
import { type AppendedMessage, readFolder, readLiteral, readMessageHead } from '../append-arguments.js';
import { AppendSink, appendedMessage } from '../append-sink.js';
import {
  accountOf,
  type Context,
  command,
  type Done,
  loggedIn,
  type Sink,
  type Streaming,
} from '../command.js';
import { refusals } from '../refusals.js';
import { tryCreate } from '../try-create.js';

interface AppendRequest {
  readonly folder: string;
  readonly messages: readonly AppendedMessage[];
}

/** Messages of one APPEND. */
const MESSAGES = 1000;

export const append = command({
  name: 'APPEND',
  states: loggedIn,
  capability: ({ appendLimit }) => ['MULTIAPPEND', `APPENDLIMIT=${appendLimit}`],
  grammar(scanner, context): AppendRequest {
    const folder = readFolder(scanner, context);
    const messages: AppendedMessage[] = [];
    do {
      const head = readMessageHead(scanner);
      messages.push({ ...head, uses: readLiteral(scanner) });
    } while (!scanner.atEnd);
    return { folder, messages };
  },
  uses: ({ messages }) => [
    ...messages.flatMap(({ uses }) => uses),
    ...(messages.length > 1 ? ['MULTIAPPEND'] : []),
  ],
  stream: receive(),
  run: runAppend,
});

/** Everything that can be refused is refused before the message is sent. */
function receive(): Streaming {
  return async (scanner, literal, context, sinks) => {
    const folder = readFolder(scanner, context);
    for (let at = 0; at < sinks.length; at += 1) {
      readMessageHead(scanner);
      readLiteral(scanner);
    }
    readMessageHead(scanner);
    const { limits, spoolDir, mailstore } = context.services;
    if (literal.size > limits.append) throw refusals.tooLarge();
    if (sinks.length > 0 && !context.offers('MULTIAPPEND')) throw refusals.unknownArgument();
    if (sinks.length >= MESSAGES) throw refusals.badArgument('Troppi messaggi / Too many messages');
    const { mailboxId } = accountOf(context);
    if (sinks.length === 0 && !(await mailstore.hasFolder(mailboxId, folder))) throw refusals.tryCreate();
    const usage = await mailstore.usage(mailboxId);
    const coming =
      literal.size + sinks.reduce((sum, sink) => sum + (sink instanceof AppendSink ? sink.size : 0), 0);
    if (usage !== undefined && coming > usage.free) throw new StoreConflict('quota', 'the mailbox is full');
    return new AppendSink(literal.size, spoolDir, literal.binary);
  };
}

async function runAppend(
  { folder, messages }: AppendRequest,
  context: Context,
  sinks: readonly Sink[],
): Promise<Done> {
  const { mailstore } = context.services;
  const ropes = [];
  for (const [at, head] of messages.entries())
    ropes.push(await appendedMessage(head, sinks[at], context.services));
  const { uidValidity, uids } = await tryCreate(
    mailstore.append(accountOf(context).mailboxId, folder, ropes),
  );
  return { code: `APPENDUID ${uidValidity} ${writeSet(uids)}`, text: 'Aggiunto / Appended' };
}
