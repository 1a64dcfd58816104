/** APPEND (RFC 9051 6.3.12; RFC 3502 MULTIAPPEND; RFC 4466; RFC 6855 4; RFC 7889). Its octets go into the spool as they come. */
import { StoreConflict } from '../../storage/index.js';
import { readDateTime, readMailboxName, type Scanner, writeSet } from '../../wire/imap/index.js';
import { AppendSink } from '../append-sink.js';
import {
  accountOf,
  type Context,
  command,
  type Done,
  loggedIn,
  type Sink,
  type Streaming,
} from '../command.js';
import { readFlagList } from '../flag-arguments.js';
import { refusals } from '../refusals.js';
import { tryCreate } from '../try-create.js';

interface AppendedMessage {
  readonly flags: readonly string[];
  readonly date: number | undefined;
}

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
      messages.push(readMessageHead(scanner));
      readLiteral(scanner);
    } while (!scanner.atEnd);
    return { folder, messages };
  },
  stream: receive(),
  run: runAppend,
});

function readFolder(scanner: Scanner, { enabled }: Context): string {
  scanner.space();
  return readMailboxName(scanner.astring(), enabled.has('UTF8=ACCEPT'));
}

function readMessageHead(scanner: Scanner): AppendedMessage {
  scanner.space();
  let flags: string[] = [];
  if (scanner.sees('(')) {
    flags = readFlagList(scanner);
    scanner.space();
  }
  let date: number | undefined;
  if (scanner.sees('"')) {
    date = readDateTime(scanner);
    scanner.space();
  }
  return { flags, date };
}

/** `UTF8 (~{n} ...)` says that the header has UTF-8; its octets are stored as they are all the same. */
function readLiteral(scanner: Scanner): void {
  const wrapped = scanner.takesWord('UTF8');
  if (wrapped) {
    scanner.space();
    scanner.open();
  }
  scanner.streamed();
  if (wrapped) scanner.close();
}

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
  const { mailstore, keeper, now } = context.services;
  const ropes = [];
  for (const [at, { flags, date }] of messages.entries()) {
    const sink = sinks[at];
    if (!(sink instanceof AppendSink))
      throw refusals.badArgument('Manca un messaggio / A message is missing');
    ropes.push({ rope: await sink.message(keeper), flags, internalDate: date ?? now() });
  }
  const { uidValidity, uids } = await tryCreate(
    mailstore.append(accountOf(context).mailboxId, folder, ropes),
  );
  return { code: `APPENDUID ${uidValidity} ${writeSet(uids)}`, text: 'Aggiunto / Appended' };
}
