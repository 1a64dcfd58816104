import {
  membersOf,
  readMailboxName,
  readSequenceSet,
  type Scanner,
  type SequenceSet,
  writeSet,
} from '../../wire/imap/index.js';
import { accountOf, type Command, type Context, command, type Done, loggedIn } from '../command.js';
import { refusals } from '../refusals.js';
import { flagsLine, permanentFlags, Selected } from '../selected.js';

/** RFC 7162 3.2.5: what the client knows of the folder. */
interface Known {
  readonly uidValidity: number;
  readonly modseq: number;
  readonly uids: SequenceSet | undefined;
}

interface Selection {
  readonly name: string;
  readonly condstore: boolean;
  readonly known: Known | undefined;
}

function readSelection(scanner: Scanner, { enabled }: Context): Selection {
  scanner.space();
  const name = readMailboxName(scanner.astring(), enabled.has('UTF8=ACCEPT'));
  let condstore = false;
  let known: Known | undefined;
  if (!scanner.atEnd) {
    scanner.space();
    scanner.list(() => {
      const parameter = scanner.keyword();
      if (parameter === 'CONDSTORE') condstore = true;
      else if (parameter === 'QRESYNC') {
        if (!enabled.has('QRESYNC'))
          throw refusals.badArgument('QRESYNC: usare prima ENABLE / ENABLE it first');
        known = readKnown(scanner);
      } else throw refusals.badArgument('Parametro sconosciuto / Unknown parameter');
    });
  }
  return { name, condstore, known };
}

function readKnown(scanner: Scanner): Known {
  scanner.space();
  scanner.open();
  const uidValidity = scanner.number();
  scanner.space();
  const modseq = scanner.number();
  let uids: SequenceSet | undefined;
  if (scanner.takes(' ')) {
    if (!scanner.sees('(')) {
      uids = readSequenceSet(scanner);
      if (scanner.takes(' ')) readMatch(scanner);
    } else readMatch(scanner);
  }
  scanner.close();
  return { uidValidity, modseq, uids };
}

/** RFC 7162 3.2.5.2: known sequence numbers and their UIDs; they only save the server work, and ours is little. */
function readMatch(scanner: Scanner): void {
  scanner.open();
  readSequenceSet(scanner);
  scanner.space();
  readSequenceSet(scanner);
  scanner.close();
}

const open = (name: 'SELECT' | 'EXAMINE'): Command =>
  command({
    name,
    states: loggedIn,
    tells: 'none',
    // RFC 7162 3.1: CONDSTORE comes with what QRESYNC needs.
    capability: name === 'SELECT' ? ['CONDSTORE', 'QRESYNC'] : [],
    grammar: readSelection,
    uses: ({ condstore, known }) => [
      ...(condstore ? ['CONDSTORE'] : []),
      ...(known === undefined ? [] : ['QRESYNC']),
    ],
    run: (selection, context) => select(selection, name === 'EXAMINE', context),
  });

/** RFC 9051 6.3.2. */
export const selectFolder = open('SELECT');
/** RFC 9051 6.3.3. */
export const examine = open('EXAMINE');

async function select(
  { name, condstore, known }: Selection,
  readOnly: boolean,
  context: Context,
): Promise<Done> {
  const account = accountOf(context);
  const { services, state, untagged } = context;
  const opened = await services.mailstore.openFolder(account.mailboxId, name, services.startedAt);
  // RFC 9051 6.3.2: a SELECT that fails leaves no folder open.
  if (opened === undefined) {
    if (state.kind === 'selected') context.deselect();
    throw refusals.noSuchFolder();
  }
  if (condstore) context.enable('CONDSTORE');
  if (state.kind === 'selected') {
    context.deselect();
    if (context.enabled.has('QRESYNC')) untagged('OK [CLOSED] Cartella chiusa / Previous mailbox closed');
  }
  const selected = new Selected({
    mailstore: services.mailstore,
    mailboxId: account.mailboxId,
    opened,
    readOnly,
    recent: services.recent,
    onNews: context.onNews,
  });
  const { view, keywords } = selected;
  untagged(flagsLine(keywords));
  untagged(`OK [PERMANENTFLAGS ${permanentFlags(keywords, readOnly)}] Indicatori / Flags`);
  untagged(`${view.size} EXISTS`);
  untagged(`${selected.recent.size} RECENT`);
  if (opened.firstUnseen !== undefined)
    untagged(`OK [UNSEEN ${view.sequenceOf(opened.firstUnseen)}] Primo non letto / First unseen`);
  untagged(`OK [UIDVALIDITY ${opened.uidValidity}] UIDVALIDITY`);
  untagged(`OK [UIDNEXT ${opened.uidNext}] UIDNEXT`);
  if (context.offers('CONDSTORE')) untagged(`OK [HIGHESTMODSEQ ${opened.highestModseq}] HIGHESTMODSEQ`);
  if (context.offers('OBJECTID')) untagged(`OK [MAILBOXID (F${opened.id})] MAILBOXID`);
  if (known !== undefined && known.uidValidity === opened.uidValidity) await resync(selected, known, context);
  return {
    code: readOnly ? 'READ-ONLY' : 'READ-WRITE',
    text: 'Cartella aperta / Mailbox opened',
    next: { kind: 'selected', account, selected },
  };
}

/** RFC 7162 3.2.5: what changed and went since the client looked. */
async function resync(selected: Selected, known: Known, context: Context): Promise<void> {
  const { mailstore } = context.services;
  const changes = await mailstore.changes(selected.folderId, known.modseq);
  if (changes === undefined) return;
  const { uidNext } = changes;
  const everything = [[1, Math.max(1, uidNext - 1)]] as const;
  const ranges = known.uids?.kind === 'ranges' ? known.uids.ranges : everything;
  const gone =
    changes.gone === 'unknown'
      ? selected.absent(ranges, uidNext)
      : selected.among(ranges, changes.gone, uidNext);
  if (gone.length > 0) context.untagged(`VANISHED (EARLIER) ${writeSet(gone)}`);
  const among = known.uids === undefined ? undefined : new Set(membersOf(ranges, selected.view.uids));
  for (const message of changes.changed) {
    if (among !== undefined && !among.has(message.uid)) continue;
    context.untagged(
      selected.flagLine({ ...message, keywords: JSON.parse(message.keywords) }, context.enabled, true),
    );
    await context.flow();
  }
}
