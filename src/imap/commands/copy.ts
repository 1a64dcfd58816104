import type { Copied } from '../../storage/index.js';
import {
  readMailboxName,
  readSequenceSet,
  type Scanner,
  type SequenceSet,
  writeSet,
} from '../../wire/imap/index.js';
import {
  type Command,
  type Context,
  command,
  type Done,
  inFolder,
  selectedOf,
  writableOf,
} from '../command.js';
import { usesOfSet } from '../search/uses.js';
import { tryCreate } from '../try-create.js';

interface CopyRequest {
  readonly set: SequenceSet;
  readonly target: string;
}

function readCopy(scanner: Scanner, { enabled }: Context): CopyRequest {
  scanner.space();
  const set = readSequenceSet(scanner);
  scanner.space();
  return { set, target: readMailboxName(scanner.astring(), enabled.has('UTF8=ACCEPT')) };
}

const copying = (uid: boolean): Command =>
  command({
    name: uid ? 'UID COPY' : 'COPY',
    states: inFolder,
    tells: uid ? 'all' : 'no-expunge',
    capability: uid ? [] : ['UIDPLUS'],
    grammar: readCopy,
    uses: ({ set }) => usesOfSet(set),
    async run({ set, target }, context) {
      const selected = selectedOf(context);
      const uids = selected.resolve(set, uid);
      const copied = await tryCreate(context.services.mailstore.copy(selected, uids, target));
      return { code: copyUid(copied), text: 'Copiati / Copied' };
    },
  });

/** RFC 9051 6.4.7. */
export const copyMessages = copying(false);
export const uidCopy = copying(true);

const moving = (uid: boolean): Command =>
  command({
    name: uid ? 'UID MOVE' : 'MOVE',
    states: inFolder,
    comesWith: ['MOVE'],
    capability: uid ? [] : ['MOVE'],
    grammar: readCopy,
    uses: ({ set }) => usesOfSet(set),
    run: (request, context) => move(request, uid, context),
  });

/** RFC 6851. */
export const moveMessages = moving(false);
export const uidMove = moving(true);

async function move({ set, target }: CopyRequest, uid: boolean, context: Context): Promise<Done> {
  const selected = writableOf(context);
  const uids = selected.resolve(set, uid);
  const moved = await tryCreate(context.services.mailstore.move(selected, uids, target));
  // RFC 6851 4.3: the UIDs are told before the EXPUNGEs.
  const code = copyUid(moved);
  if (code !== undefined) context.untagged(`OK [${code}] Spostati / Moved`);
  selected.bury(moved.from);
  return { text: 'Fatto / Done' };
}

/** RFC 4315 3; nothing was copied: nothing is told. */
const copyUid = ({ uidValidity, from, to }: Copied): string | undefined =>
  from.length === 0 ? undefined : `COPYUID ${uidValidity} ${writeSet(from)} ${writeSet(to)}`;
