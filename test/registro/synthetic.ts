import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openStore, type RegisterEvent, type Store } from '../../src/storage/index.js';
import { checkedEvent, linkEntries } from '../../src/storage/register.js';

/** A store whose register has entries of days long gone. */
export interface SyntheticRegister {
  readonly folder: string;
  readonly database: string;
  store: Store;
  readonly record: Recorder;
  /** Changes the database as whoever has the disk may. */
  tamper(change: (database: Database.Database) => void): void;
  remove(): Promise<void>;
}

export const entry = (event: Partial<RegisterEvent>, at: number): RegisterEvent => ({
  identificativo: 'opec.1@pec.alfa.example',
  at,
  event: 'accettazione',
  sender: 'anna@pec.alfa.example',
  recipients: ['bruno@pec.beta.example'],
  subject: 'Prova, "con" virgole; e à',
  related: [],
  gestore: 'Alfa PEC S.p.A.',
  detail: {},
  ...event,
});

/** Adds entries recorded at an instant, as the writer would have added them then. */
export type Recorder = (at: number, events: readonly Partial<RegisterEvent>[]) => void;

export function recorder(writing: Database.Database): Recorder {
  const head = writing.prepare<[], { seq: number; link: Buffer; recordedAt: number }>(
    'select seq, link, recorded_at as recordedAt from registro where lane = 0 order by seq desc limit 1',
  );
  const insert = writing.prepare(
    `insert into registro (lane, seq, identificativo, at, event, sender, recipients, subject, related, gestore, detail, recorded_at, salt, leaf, link)
     values (@lane, @seq, @identificativo, @at, @event, @sender, @recipients, @subject, @related, @gestore, @detail, @recorded_at, @salt, @leaf, @link)`,
  );
  return writing.transaction((at: number, events: readonly Partial<RegisterEvent>[]) => {
    const full = events.map((event) => checkedEvent(entry(event, at)));
    for (const row of linkEntries(0, head.get(), full, at, () => randomBytes(16))) insert.run(row);
  }).immediate;
}

export async function syntheticRegister(): Promise<SyntheticRegister> {
  const folder = await mkdtemp(join(process.env.CERALACCA_BENCH_DIR ?? tmpdir(), 'ceralacca-registro-'));
  const database = join(folder, 'ceralacca.db');
  const store = await openStore({
    database: { engine: 'sqlite', file: database },
    blobs: { kind: 'file', folder: join(folder, 'blobs') },
  });
  const writing = new Database(database, { timeout: 30_000 });
  writing.pragma('synchronous = OFF');
  return {
    folder,
    database,
    store,
    record: recorder(writing),
    tamper: (change) => change(writing),
    remove: async () => {
      writing.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
