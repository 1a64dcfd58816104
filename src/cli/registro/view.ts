import type { RegisterRow } from '../../storage/index.js';
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
