import { leafHash, linkHash } from '../ledger/index.js';
import { ledgerEvent, type RegisterRow } from '../storage/index.js';

export const UNREADABLE = 'la riga non è leggibile / the entry cannot be read';
export const CHANGED = 'il contenuto è stato modificato / the content was changed';

/** Why an entry does not continue its lane after the place and the link given; Italian and English. */
export function misfit(row: RegisterRow, expected: number, previous: Uint8Array): string | undefined {
  if (row.lane < 0) return 'riga aggiunta fuori da ogni catena / entry added outside every chain';
  if (row.seq > expected) {
    return `mancano le righe da ${expected} a ${row.seq - 1} / entries ${expected} to ${row.seq - 1} are missing`;
  }
  if (row.seq < expected) return 'riga doppia o fuori posto / doubled or misplaced entry';
  const changed = changedContent(row);
  if (changed !== undefined) return changed;
  if (!linkHash(previous, row.leaf).equals(row.link)) {
    return 'la catena è interrotta / the chain is broken here';
  }
  return undefined;
}

/** Whether an entry is not what its own leaf commits to. */
export function changedContent(row: RegisterRow): string | undefined {
  if (!isWhole(row)) return UNREADABLE;
  return leafHash(row.salt, ledgerEvent(row, row)).equals(row.leaf) ? undefined : CHANGED;
}

/** The lists are JSON text in the database: whoever changes it may make it anything. */
const isWhole = ({ recipients, related, detail }: RegisterRow): boolean =>
  areTexts(recipients) &&
  areTexts(related) &&
  typeof detail === 'object' &&
  detail !== null &&
  !Array.isArray(detail) &&
  areTexts(Object.values(detail));

const areTexts = (list: unknown): boolean =>
  Array.isArray(list) && list.every((text) => typeof text === 'string');
