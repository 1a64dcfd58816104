import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type FetchItem,
  readFetchItems,
  readSequenceSet,
  type Scanner,
  type SequenceSet,
  writeSet,
} from '../../wire/imap/index.js';
import { type Command, type Context, command, type Done, inFolder, selectedOf } from '../command.js';
import { answerFetch, asking } from '../fetch/answer.js';
import { MessageData } from '../fetch/message.js';
import { pagesOf } from '../pages.js';
import { refusals } from '../refusals.js';
import { usesOfSet } from '../search/uses.js';
import type { Selected } from '../selected.js';

interface FetchRequest {
  readonly set: SequenceSet;
  readonly items: readonly FetchItem[];
  /** RFC 7162 3.1.4.1. */
  readonly changedSince: number | undefined;
  readonly vanished: boolean;
}

function readFetch(scanner: Scanner): FetchRequest {
  scanner.space();
  const set = readSequenceSet(scanner);
  scanner.space();
  const items = readFetchItems(scanner);
  let changedSince: number | undefined;
  let vanished = false;
  if (!scanner.atEnd) {
    scanner.space();
    scanner.list(() => {
      const modifier = scanner.keyword();
      if (modifier === 'VANISHED') vanished = true;
      else if (modifier === 'CHANGEDSINCE') {
        scanner.space();
        changedSince = scanner.number();
      } else throw refusals.badArgument('Modificatore sconosciuto / Unknown modifier');
    });
  }
  return { set, items, changedSince, vanished };
}

const ITEM_USES: Partial<Record<FetchItem['kind'], string>> = {
  'BINARY[]': 'BINARY',
  'BINARY.SIZE[]': 'BINARY',
  EMAILID: 'OBJECTID',
  THREADID: 'OBJECTID',
  PREVIEW: 'PREVIEW',
  SAVEDATE: 'SAVEDATE',
  MODSEQ: 'CONDSTORE',
};

function usesOfFetch({ set, items, changedSince, vanished }: FetchRequest): readonly string[] {
  return [
    ...usesOfSet(set),
    ...items.flatMap(({ kind }) => ITEM_USES[kind] ?? []),
    ...(changedSince === undefined ? [] : ['CONDSTORE']),
    ...(vanished ? ['QRESYNC'] : []),
  ];
}

/** Messages at once where nothing of their contents is asked for. */
const ROWS = 1000;

const fetching = (uid: boolean): Command =>
  command({
    name: uid ? 'UID FETCH' : 'FETCH',
    states: inFolder,
    tells: uid ? 'all' : 'no-expunge',
    capability: uid ? [] : ['BINARY', 'OBJECTID', 'PREVIEW', 'SAVEDATE'],
    grammar: readFetch,
    uses: usesOfFetch,
    run: (request, context) => fetch(request, uid, context),
  });

/** RFC 9051 6.4.5. */
export const fetchMessages = fetching(false);
export const uidFetch = fetching(true);

async function fetch(request: FetchRequest, uid: boolean, context: Context): Promise<Done> {
  const selected = selectedOf(context);
  const { mailstore } = context.services;
  const { changedSince, vanished } = request;
  if (vanished && !(uid && changedSince !== undefined && context.enabled.has('QRESYNC')))
    throw refusals.badArgument(
      'VANISHED vuole UID, CHANGEDSINCE e QRESYNC / VANISHED needs UID, CHANGEDSINCE and QRESYNC',
    );
  if (changedSince !== undefined || request.items.some(({ kind }) => kind === 'MODSEQ'))
    context.enable('CONDSTORE');
  const uids = selected.resolve(request.set, uid);
  if (vanished) await tellVanished(request.set, changedSince ?? 0, selected, context);
  const items = withImplied(request.items, uid, changedSince !== undefined);
  const marksSeen = !selected.readOnly && items.some((item) => 'peek' in item && !item.peek);
  const asked = asking(items);
  const withFlags = asking([...items, { kind: 'FLAGS' }]);
  const tellsFlags = items.some(({ kind }) => kind === 'FLAGS');
  for (const page of pagesOf(uids, asked.parts.length > 0 ? undefined : ROWS)) {
    const changed = marksSeen ? await markSeen(page, selected, context) : new Set<number>();
    const rows = await mailstore.listed(selected.folderId, page);
    const wanted = changedSince === undefined ? rows : rows.filter(({ modseq }) => modseq > changedSince);
    for (const message of await mailstore.summarised(selected.folderId, wanted, asked.parts)) {
      for (const line of selected.learnOf(message.row)) context.untagged(line);
      const told = changed.has(message.row.uid) && !tellsFlags ? withFlags : asked;
      const waits = answerFetch(new MessageData(message, mailstore), told, selected, context);
      if (waits !== undefined) await waits;
    }
    await nextTurn();
  }
  return { text: 'Fatto / Done' };
}

/** UID FETCH tells the UID, CHANGEDSINCE the modseq (RFC 9051 6.4.9; RFC 7162 3.1.4.1). */
function withImplied(items: readonly FetchItem[], uid: boolean, modseq: boolean): readonly FetchItem[] {
  const has = (wanted: FetchItem['kind']): boolean => items.some(({ kind }) => kind === wanted);
  const implied: FetchItem[] = [];
  if (uid && !has('UID')) implied.push({ kind: 'UID' });
  if (modseq && !has('MODSEQ')) implied.push({ kind: 'MODSEQ' });
  return [...implied, ...items];
}

/** RFC 9051 6.4.5: looking into a body sets \Seen. @returns the UIDs whose flags this changed */
async function markSeen(uids: readonly number[], selected: Selected, context: Context): Promise<Set<number>> {
  const { mailboxId, folderId } = selected;
  const { mailstore } = context.services;
  const unseen = (await mailstore.listed(folderId, uids)).filter(({ system }) => (system & 1) === 0);
  if (unseen.length === 0) return new Set();
  const { states } = await mailstore.storeFlags({
    mailboxId,
    folderId,
    uids: unseen.map((row) => row.uid),
    how: 'add',
    flags: { system: 1, keywords: [] },
    unchangedSince: null,
  });
  selected.tell(states);
  return new Set(states.map((state) => state.uid));
}

/** RFC 7162 3.2.6. */
async function tellVanished(
  set: SequenceSet,
  since: number,
  selected: Selected,
  context: Context,
): Promise<void> {
  const changes = await context.services.mailstore.changes(selected.folderId, since);
  if (changes === undefined || set.kind === 'saved') return;
  const gone =
    changes.gone === 'unknown'
      ? selected.absent(set.ranges, changes.uidNext)
      : selected.among(set.ranges, changes.gone, changes.uidNext);
  if (gone.length > 0) context.untagged(`VANISHED (EARLIER) ${writeSet(gone)}`);
}
