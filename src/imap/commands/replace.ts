/** REPLACE (RFC 8508): one message instead of another, in one transaction; what fails leaves the old one as it is. */
import { StoreConflict } from '../../storage/index.js';
import { readSequenceNumber, type Scanner, type SequenceNumber } from '../../wire/imap/index.js';
import { type AppendedMessage, readFolder, readLiteral, readMessageHead } from '../append-arguments.js';
import { AppendSink, appendedMessage } from '../append-sink.js';
import {
  type Command,
  type Context,
  command,
  type Done,
  inFolder,
  type Sink,
  type Streaming,
  writableOf,
} from '../command.js';
import { refusals } from '../refusals.js';
import { tryCreate } from '../try-create.js';

interface ReplaceRequest {
  readonly number: SequenceNumber;
  readonly folder: string;
  readonly message: AppendedMessage;
}

const replacing = (uid: boolean): Command =>
  command({
    name: uid ? 'UID REPLACE' : 'REPLACE',
    states: inFolder,
    comesWith: ['REPLACE'],
    capability: uid ? [] : ['REPLACE'],
    grammar(scanner, context): ReplaceRequest {
      const { message, ...rest } = readHead(scanner, context);
      return { ...rest, message: { ...message, uses: readLiteral(scanner) } };
    },
    uses: ({ message }) => message.uses,
    stream: receive(uid),
    run: (request, context, sinks) => replace(request, uid, context, sinks),
  });

/** RFC 8508 3. A sealed message is not altered by it: another one takes its place, as by APPEND and EXPUNGE. */
export const replaceMessage = replacing(false);
export const uidReplace = replacing(true);

function readHead(scanner: Scanner, context: Context) {
  scanner.space();
  const number = readSequenceNumber(scanner);
  return { number, folder: readFolder(scanner, context), message: readMessageHead(scanner) };
}

/** @returns the UID of the message that is to go. @throws ImapError when there is none */
function replaced(number: SequenceNumber, uid: boolean, context: Context): number {
  const [only] = writableOf(context).resolve({ kind: 'ranges', ranges: [[number, number]] }, uid);
  if (only === undefined) throw refusals.noSuchUid();
  return only;
}

/** Everything that can be refused is refused before the message is sent. */
function receive(uid: boolean): Streaming {
  return async (scanner, literal, context, sinks) => {
    const { number, folder } = readHead(scanner, context);
    // RFC 8508 3.1: one message.
    if (sinks.length > 0) throw refusals.badArgument('Un solo messaggio / One message only');
    const old = replaced(number, uid, context);
    const { limits, spoolDir, mailstore } = context.services;
    if (literal.size > limits.append) throw refusals.tooLarge();
    const { mailboxId, folderId } = writableOf(context);
    const folders = await mailstore.folders(mailboxId);
    if (!folders.some((each) => each.name === folder && each.selectable)) throw refusals.tryCreate();
    const usage = await mailstore.usage(mailboxId);
    const [row] = await mailstore.listed(folderId, [old]);
    const grows = literal.size - (row?.size ?? 0);
    if (usage !== undefined && grows > usage.free) throw new StoreConflict('quota', 'the mailbox is full');
    return new AppendSink(literal.size, spoolDir, literal.binary);
  };
}

async function replace(
  { number, folder, message }: ReplaceRequest,
  uid: boolean,
  context: Context,
  sinks: readonly Sink[],
): Promise<Done> {
  const selected = writableOf(context);
  const old = replaced(number, uid, context);
  const fresh = await appendedMessage(message, sinks[0], context.services);
  const { uidValidity, uid: given } = await tryCreate(
    context.services.mailstore.replace(selected, old, { folder, ...fresh }),
  );
  // RFC 8508 3.4: the new UID is told before the EXPUNGE.
  context.untagged(`OK [APPENDUID ${uidValidity} ${given}] Nuovo messaggio / Replacement message`);
  selected.bury([old]);
  return { text: 'Sostituito / Replaced' };
}
