import { type FlagChange, flagSetOf } from '../../storage/index.js';
import { readSequenceSet, type Scanner, type SequenceSet, writeSet } from '../../wire/imap/index.js';
import { type Command, type Context, command, type Done, inFolder, writableOf } from '../command.js';
import { readFlag, readFlagList } from '../flag-arguments.js';
import { pagesOf } from '../pages.js';
import { refusals } from '../refusals.js';
import { usesOfSet } from '../search/uses.js';

interface StoreRequest {
  readonly set: SequenceSet;
  readonly how: FlagChange;
  readonly silent: boolean;
  readonly flags: readonly string[];
  /** RFC 7162 3.1.3. */
  readonly unchangedSince: number | null;
}

const HOW: Readonly<Record<string, FlagChange>> = { '': 'replace', '+': 'add', '-': 'remove' };

function readStore(scanner: Scanner): StoreRequest {
  scanner.space();
  const set = readSequenceSet(scanner);
  scanner.space();
  let unchangedSince: number | null = null;
  if (scanner.sees('(')) {
    scanner.list(() => {
      if (scanner.keyword() !== 'UNCHANGEDSINCE')
        throw refusals.badArgument('Modificatore sconosciuto / Unknown modifier');
      scanner.space();
      unchangedSince = scanner.number();
    });
    scanner.space();
  }
  const sign = scanner.takes('+') ? '+' : scanner.takes('-') ? '-' : '';
  const item = scanner.keyword();
  if (item !== 'FLAGS' && item !== 'FLAGS.SILENT')
    throw refusals.badArgument('Si cambiano solo gli indicatori / Only flags can be stored');
  scanner.space();
  const flags = scanner.sees('(') ? readFlagList(scanner) : readBareFlags(scanner);
  return { set, how: HOW[sign] ?? 'replace', silent: item.endsWith('SILENT'), flags, unchangedSince };
}

/** RFC 9051 9, store-att-flags: flags may stand without parentheses. */
function readBareFlags(scanner: Scanner): string[] {
  const flags = [readFlag(scanner)];
  while (scanner.takes(' ')) flags.push(readFlag(scanner));
  return flags;
}

const storing = (uid: boolean): Command =>
  command({
    name: uid ? 'UID STORE' : 'STORE',
    states: inFolder,
    tells: uid ? 'all' : 'no-expunge',
    grammar: readStore,
    uses: ({ set, unchangedSince }) => [...usesOfSet(set), ...(unchangedSince === null ? [] : ['CONDSTORE'])],
    run: (request, context) => store(request, uid, context),
  });

/** RFC 9051 6.4.6. */
export const storeFlags = storing(false);
export const uidStore = storing(true);

/** Messages changed in one transaction: some tens of milliseconds in which nobody else writes. */
const TOGETHER = 10_000;

async function store(request: StoreRequest, uid: boolean, context: Context): Promise<Done> {
  const selected = writableOf(context);
  const { mailboxId, folderId } = selected;
  const { how, unchangedSince, silent } = request;
  if (unchangedSince !== null) context.enable('CONDSTORE');
  const flags = flagSetOf(request.flags);
  const uids = selected.resolve(request.set, uid);
  const refused: number[] = [];
  let seen = 0;
  for (const page of pagesOf(uids, TOGETHER)) {
    const outcome = await context.services.mailstore.storeFlags({
      mailboxId,
      folderId,
      uids: page,
      how,
      flags,
      unchangedSince,
    });
    seen += outcome.states.length + outcome.refused.length;
    refused.push(...outcome.refused);
    selected.tell(outcome.states);
    for (const state of outcome.states) {
      for (const line of selected.learn(state.keywords)) context.untagged(line);
      // RFC 7162 3.1.3: the new modseq is told even to who wants silence.
      if (!silent)
        context.untagged(selected.flagLine(state, context.enabled, uid || context.enabled.has('QRESYNC')));
      else if (context.enabled.has('CONDSTORE'))
        context.untagged(selected.modseqLine(state, uid || context.enabled.has('QRESYNC')));
      const waits = context.flow();
      if (waits !== undefined) await waits;
    }
  }
  const text = 'Fatto / Done';
  if (refused.length > 0) {
    const numbers = uid ? refused : refused.map((each) => selected.view.sequenceOf(each));
    return { code: `MODIFIED ${writeSet(numbers)}`, text };
  }
  // Some were expunged by another session and this client was not told yet (RFC 5530 EXPUNGEISSUED).
  return seen < uids.length ? { code: 'EXPUNGEISSUED', text } : { text };
}
