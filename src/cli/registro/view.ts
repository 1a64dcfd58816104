import { pathsOf } from '../../registro/index.js';
import type { DaySeal, RegisterRow } from '../../storage/index.js';
import type { Column } from '../command.js';
import { timeText } from '../text.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** An entry of the register as `--json` prints it. */
export const entryView = (row: RegisterRow) => ({
  lane: row.lane,
  seq: row.seq,
  at: new Date(row.at).toISOString(),
  recordedAt: new Date(row.recordedAt).toISOString(),
  event: row.event,
  identificativo: row.identificativo,
  sender: row.sender,
  recipients: row.recipients,
  subject: row.subject,
  related: row.related,
  gestore: row.gestore,
  detail: row.detail,
  leaf: hex(row.leaf),
  link: hex(row.link),
});

export type EntryView = ReturnType<typeof entryView>;

export const entryColumns: readonly Column<EntryView>[] = [
  ['AT', ({ at }) => timeText(Date.parse(at))],
  ['EVENT', ({ event }) => event],
  ['SENDER', ({ sender }) => sender],
  ['RECIPIENTS', ({ recipients }) => recipients.join(' ')],
  ['SUBJECT', ({ subject }) => subject],
  ['IDENTIFICATIVO', ({ identificativo }) => identificativo],
];

/** A sealed day as `--json` prints it. */
export const sealView = (seal: DaySeal, folder: string) => ({
  day: seal.day,
  part: seal.part,
  entries: seal.entries,
  root: hex(seal.root),
  sealedAt: new Date(seal.sealedAt).toISOString(),
  stamped: seal.rootToken !== null,
  state: seal.state,
  file: seal.fileHash === null || seal.state !== 'whole' ? null : pathsOf(folder, seal).file,
});

export type SealView = ReturnType<typeof sealView>;

export const sealColumns: readonly Column<SealView>[] = [
  ['DAY', ({ day, part }) => (part === 0 ? day : `${day}, part ${part}`)],
  ['ENTRIES', ({ entries }) => entries],
  ['STAMPED', ({ stamped }) => (stamped ? 'yes' : 'no')],
  ['ROOT', ({ root }) => root],
  ['FILE', ({ file }) => file],
];
