/** Records for the operations' contract: small, complete, and different where a test says so. */
import { Rope } from '../../../src/rope/index.js';
import type {
  Changes,
  ContentRef,
  Deposit,
  KeptReceipt,
  Mailbox,
  NewOutgoing,
  NewQueueRow,
  NewReception,
  RegisterEvent,
  Store,
} from '../../../src/storage/index.js';

/** What every contract function runs on: a new, empty store each time. */
export interface OpenedStore {
  readonly store: Store;
  /** A folder for spool files, gone with the store. */
  readonly folder: string;
  close(): Promise<void>;
}
export type OpenStore = () => Promise<OpenedStore>;

export async function using(open: OpenStore, run: (opened: OpenedStore) => Promise<void>): Promise<void> {
  const opened = await open();
  try {
    await run(opened);
  } finally {
    await opened.close();
  }
}

export const NOW = 1_760_000_000_000;
export const ORIGIN = 'Alfa PEC S.p.A.';
export const ID = 'ceralacca1.20251009105320.0123456789abcdef@pec.alfa.example';

const nothing: Changes = { contents: [], events: [], deposits: [], receipts: [], queue: [] };
export const changes = (some: Partial<Changes> = {}): Changes => ({ ...nothing, ...some });

/** `changes` over one content of this text, whose size the records quote. */
export async function changesOver(store: Store, text: string, some: Partial<Changes> = {}): Promise<Changes> {
  return changes({ contents: [await store.pack(Rope.of(text))], ...some });
}

export const first: ContentRef = { new: 0 };

export const event = (some: Partial<RegisterEvent> = {}): RegisterEvent => ({
  identificativo: ID,
  at: NOW,
  event: 'posta-certificata',
  sender: 'Mario.Rossi@pec.alfa.example',
  recipients: ['anna@pec.beta.example'],
  subject: 'Diffida',
  related: [],
  gestore: ORIGIN,
  detail: {},
  ...some,
});

export const deposit = (mailboxId: number, size: number, some: Partial<Deposit> = {}): Deposit => ({
  mailboxId,
  folder: 'INBOX',
  content: first,
  size,
  internalDate: NOW,
  flags: [],
  withinQuota: true,
  ...some,
});

export const receipt = (some: Partial<KeptReceipt> = {}): KeptReceipt => ({
  direction: 'issued',
  origin: ORIGIN,
  identificativo: ID,
  kind: 'accettazione',
  recipient: '',
  step: '',
  messageId: '<receipt@pec.alfa.example>',
  content: first,
  at: NOW,
  ...some,
});

export const queueRow = (some: Partial<NewQueueRow> = {}): NewQueueRow => ({
  kind: 'envelope',
  identificativo: ID,
  sender: 'mario.rossi@pec.alfa.example',
  subject: 'Prova',
  origin: 'Alfa PEC S.p.A.',
  content: first,
  size: 10,
  mailFrom: 'mario.rossi@pec.alfa.example',
  recipient: 'anna@pec.beta.example',
  destination: 'pec.beta.example',
  eightBit: false,
  nextAttempt: NOW,
  giveUpAt: NOW + 86_400_000,
  ...some,
});

const HOUR = 3_600_000;

export const outgoing = (mailboxId: number, some: Partial<NewOutgoing> = {}): NewOutgoing => ({
  identificativo: ID,
  mailboxId,
  sender: 'mario.rossi@pec.alfa.example',
  msgid: '<mia@studio>',
  subject: 'Diffida',
  replyTo: '',
  acceptedAt: NOW,
  content: first,
  recipients: [
    {
      recipient: 'Anna@pec.beta.example',
      kind: 'certificato',
      gestore: 'Beta',
      firstNoticeAt: NOW + 12 * HOUR,
      secondNoticeAt: NOW + 23 * HOUR,
    },
    {
      recipient: 'ugo@example.org',
      kind: 'esterno',
      gestore: '',
      firstNoticeAt: null,
      secondNoticeAt: null,
    },
  ],
  ...some,
});

export const reception = (some: Partial<NewReception> = {}): NewReception => ({
  origin: ORIGIN,
  identificativo: ID,
  recipient: 'mario.rossi@pec.alfa.example',
  digest: 'a'.repeat(64),
  at: NOW,
  presaInCarico: 0,
  finalOutcome: 1,
  ...some,
});

export async function newMailbox(
  store: Store,
  address = 'mario.rossi@pec.alfa.example',
  quota = 1_000_000,
): Promise<Mailbox> {
  const domain = address.slice(address.indexOf('@') + 1);
  if ((await store.read('findDomain', { name: domain })) === undefined) {
    await store.write('addDomain', { name: domain, now: NOW });
  }
  return store.write('addMailbox', {
    address,
    passwordHash: 'hash',
    holderId: null,
    quota,
    kind: 'user',
    now: NOW,
  });
}

/** For `assert.rejects`. */
export const conflict = (what: string) => ({ name: 'StoreConflict', what });
