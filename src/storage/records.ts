/**
 * What crosses the Store's border: plain data that can be posted to the writer thread.
 * Times are epoch milliseconds, sizes octets, addresses as their owner wrote them; keys on addresses compare
 * their ASCII lower-case form.
 */

import type { ContentRef } from './content-ref.js';
import type { NewQuarantined } from './quarantined.js';

export type { ContentRef } from './content-ref.js';

/** SHA-256 in lower-case hex. */
export type BlobHash = string;

/** A stored byte string: inline text and slices of blobs, in order. */
export type Piece =
  | { readonly text: readonly [offset: number, length: number] }
  | { readonly blob: BlobHash; readonly offset: number; readonly length: number };

/** A rope made ready for a commit. */
export interface PackedRope {
  readonly size: number;
  /** All inline runs, joined; `layout` points into it. */
  readonly text: Uint8Array;
  readonly layout: readonly Piece[];
  /** Small blobs (at most 64 KiB) named by the layout: they travel in the operation's own transaction. */
  readonly smallBlobs: readonly { readonly hash: BlobHash; readonly bytes: Uint8Array }[];
}

export type MailboxState = 'active' | 'suspended' | 'revoked';

/** What becomes of ordinary mail for a mailbox. */
export type OrdinaryRule =
  | { readonly kind: 'reject' }
  | { readonly kind: 'anomaly' }
  | { readonly kind: 'forward'; readonly to: string };

/** Of messages from this certified sender `notified`, an ordinary address, is told. */
export interface WatchedSender {
  readonly mailbox: string;
  readonly sender: string;
  readonly notified: string;
  readonly createdAt: number;
}

export interface Mailbox {
  readonly id: number;
  readonly address: string;
  readonly domain: string;
  readonly kind: 'user' | 'service';
  readonly state: MailboxState;
  readonly holderId: number | null;
  readonly passwordHash: string;
  /** Octets. */
  readonly quota: number;
  /** Octets in all folders. */
  readonly used: number;
  readonly createdAt: number;
  /** null: what the gestore does (`policy.ordinary_mail`). */
  readonly ordinary: OrdinaryRule | null;
}

/** What SCRAM-SHA-256 checks a login against (RFC 5802 3); neither password nor hash can be had from it but by guessing. */
export interface ScramCredential {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export interface Holder {
  readonly id: number;
  readonly name: string;
  /** Codice fiscale or partita IVA, where known. */
  readonly taxCode: string | null;
  readonly createdAt: number;
}

export interface Domain {
  readonly name: string;
  readonly createdAt: number;
}

export interface Alias {
  readonly address: string;
  readonly mailbox: string;
  readonly createdAt: number;
}

export type SpecialUse = 'sent' | 'drafts' | 'trash' | 'archive';

export interface NamedFolder {
  readonly id: number;
  readonly mailboxId: number;
  readonly name: string;
  readonly specialUse: SpecialUse | null;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  /** False: only a name that others stand under (RFC 3501 6.3.4). */
  readonly selectable: boolean;
}

/** With how many messages it holds, their octets, those without \\Seen, those with \\Deleted. */
export interface Folder extends NamedFolder {
  readonly messages: number;
  readonly size: number;
  readonly unseen: number;
  readonly deleted: number;
}

/** What is computed once of a content. Texts hold one octet a character (Latin-1). */
export interface Summary {
  /** The header block with its blank line; null when it is long. */
  readonly header: Uint8Array | null;
  /** IMAP's ENVELOPE, BODY and BODYSTRUCTURE, ready for the wire. */
  readonly envelope: string;
  readonly body: string;
  readonly bodyStructure: string;
  /** JSON: where each part lies. */
  readonly parts: string;
  /** JSON: what messages are sorted and threaded by. */
  readonly sort: string;
  readonly preview: string;
  /** All of its text is in the full text index. */
  readonly indexed: boolean;
}

/** One message in one folder. */
export interface MessageRow {
  readonly id: number;
  readonly mailboxId: number;
  readonly folder: string;
  readonly uid: number;
  readonly modseq: number;
  readonly contentId: number;
  readonly size: number;
  readonly internalDate: number;
  /** System flags (`\Seen`) and keywords (`$Accettazione`). */
  readonly flags: readonly string[];
}

/** The operations RFC 6109 2.3 wants logged. */
export type EventType =
  | 'accettazione'
  | 'non-accettazione'
  | 'posta-certificata'
  | 'presa-in-carico'
  | 'avvenuta-consegna'
  | 'errore-consegna'
  | 'preavviso-errore-consegna'
  | 'rilevazione-virus'
  | 'busta-anomalia'
  | 'ricezione-busta'
  | 'ricezione-notifica'
  | 'ricezione-anomalia'
  | 'ricezione-ordinaria'
  | 'inoltro'
  | 'inoltro-fallito'
  | 'dsn'
  | 'rifiuto'
  | 'deposito'
  /** No operation on a message: an administrator took one out of the quarantine. */
  | 'estrazione-quarantena'
  /** No operation on a message: how the system clock stood (decisions 30). */
  | 'orologio'
  /** Nor this: a day was sealed, with its root. */
  | 'sigillo';

/** One entry of the legal log: the eight fields of RFC 6109 2.3, and what explains them. */
export interface RegisterEvent {
  /** The PEC msgid of the transaction, without angle brackets; for ordinary mail the Message-ID. */
  readonly identificativo: string;
  /** The transaction's one instant (RFC 6109 4.1). */
  readonly at: number;
  readonly event: EventType;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly subject: string;
  /** Message-IDs of related generated messages. */
  readonly related: readonly string[];
  /** The gestore that originated the transaction. */
  readonly gestore: string;
  /** The reason, the peer's answer, the msgid of the client: short facts for the reader of the log. */
  readonly detail: Readonly<Record<string, string>>;
}

/** A message put into a mailbox's folder. */
export interface Deposit {
  readonly mailboxId: number;
  readonly folder: string;
  readonly content: ContentRef;
  readonly size: number;
  readonly internalDate: number;
  /** When it came into the folder; the internal date if not given. */
  readonly savedAt?: number | undefined;
  readonly flags: readonly string[];
  /**
   * Whether the quota binds this deposit: certified mail is refused by a full mailbox, receipts are always
   * stored (decision 9).
   */
  readonly withinQuota: boolean;
}

export type ReceiptKind =
  | 'accettazione'
  | 'non-accettazione'
  | 'presa-in-carico'
  | 'avvenuta-consegna'
  | 'errore-consegna'
  | 'preavviso-errore-consegna'
  | 'rilevazione-virus';

/**
 * A notification issued or received, kept as bytes for 30 months. Unique by
 * (direction, origin, identificativo, kind, recipient, step) except the presa in carico, of which there is one per
 * SMTP transaction and which is unique by its own Message-ID (decisions 1).
 */
export interface KeptReceipt {
  readonly direction: 'issued' | 'received';
  /** providerName of the gestore the envelope started from. */
  readonly origin: string;
  readonly identificativo: string;
  readonly kind: ReceiptKind;
  /** Empty for accettazione, non-accettazione and presa in carico. */
  readonly recipient: string;
  /** '12h' or '24h' for a preavviso, else empty. */
  readonly step: string;
  readonly messageId: string;
  readonly content: ContentRef;
  readonly at: number;
}

/** Who is at the other end of a queue row; it decides TLS, the give-up time and what failure means. */
export type QueueKind =
  | 'envelope'
  | 'notification'
  /** An envelope for an ordinary recipient. */
  | 'ordinary'
  | 'dsn'
  /** Ordinary mail that a mailbox passes on. */
  | 'forward'
  /** A word to an ordinary address about a message that came in. */
  | 'notice';

/** One recipient of one message to send. Rows of the same content and destination go in one SMTP transaction. */
export interface NewQueueRow {
  readonly kind: QueueKind;
  readonly identificativo: string;
  /** Of the original message, and the gestore it started from: what the register says of the hand-over (RFC 6109 2.3). */
  readonly sender: string;
  readonly subject: string;
  readonly origin: string;
  readonly content: ContentRef;
  readonly size: number;
  /** Envelope sender, empty for the null reverse path. */
  readonly mailFrom: string;
  readonly recipient: string;
  /** Lower-case domain of the recipient: the unit of routing and of connection pooling. */
  readonly destination: string;
  readonly eightBit: boolean;
  /** The first attempt; the row counts as created then. */
  readonly nextAttempt: number;
  readonly giveUpAt: number;
}

export type QueueState = 'due' | 'leased' | 'held';

export interface QueueRow extends Omit<NewQueueRow, 'content'> {
  readonly id: number;
  readonly contentId: number;
  readonly state: QueueState;
  readonly attempts: number;
  readonly lastError: string;
  readonly createdAt: number;
  /** Grows at each claim; a settlement with an old fence is refused. */
  readonly fence: number;
  readonly leaseOwner: string;
  readonly leaseUntil: number;
}

/** What one message of our own users became, recipient by recipient. */
export interface NewOutgoing {
  readonly identificativo: string;
  readonly mailboxId: number;
  /** MAIL FROM: where notices go. */
  readonly sender: string;
  /** The client's own Message-ID with its brackets, or empty. */
  readonly msgid: string;
  readonly subject: string;
  readonly replyTo: string;
  readonly acceptedAt: number;
  /** The queued envelope. */
  readonly content: ContentRef;
  readonly recipients: readonly NewTracking[];
}

export interface NewTracking {
  readonly recipient: string;
  readonly kind: 'certificato' | 'esterno';
  /** providerName that managed the recipient at acceptance (decision 4); empty for esterno. */
  readonly gestore: string;
  /** Deadlines of the silence notices (RFC 6109 3.1.6); null for esterno. */
  readonly firstNoticeAt: number | null;
  readonly secondNoticeAt: number | null;
}

export interface Outgoing extends Omit<NewOutgoing, 'content' | 'recipients'> {
  readonly contentId: number;
  readonly tracking: readonly TrackingRow[];
}

/** What became of one recipient, told by a notification or by the relay. */
export type TrackingFact =
  | 'presa-in-carico'
  | 'avvenuta-consegna'
  | 'errore-consegna'
  | 'errore-consegna-virus';

export interface RecipientFact {
  readonly identificativo: string;
  readonly recipient: string;
  readonly fact: TrackingFact;
  readonly at: number;
}

export interface TrackingRow extends NewTracking {
  readonly identificativo: string;
  readonly takenAt: number | null;
  readonly outcome: Exclude<TrackingFact, 'presa-in-carico'> | null;
  readonly outcomeAt: number | null;
}

/** Which silence notice (RFC 6109 3.1.6): no presa in carico nor consegna, no consegna. */
export type NoticeStep = '12h' | '24h';

/** A recipient about whom a silence notice has fallen due. */
export interface DueNotice {
  readonly step: NoticeStep;
  readonly dueAt: number;
  readonly tracking: TrackingRow;
  /** The message, with all its recipients. */
  readonly outgoing: Outgoing;
}

/** Where a page of due notices ended; the next one starts after it. */
export interface NoticePlace {
  readonly dueAt: number;
  readonly identificativo: string;
  readonly recipient: string;
}

/** An envelope's recipient as this gestore answered for it. Unique by (origin, identificativo, recipient). */
export interface NewReception {
  readonly origin: string;
  readonly identificativo: string;
  readonly recipient: string;
  /** SHA-256 of the signed entity: the same id with other bytes is an anomaly (decision 7). */
  readonly digest: string;
  readonly at: number;
  /** Index in the commit's `receipts` of the presa in carico, and of the consegna or errore-consegna. */
  readonly presaInCarico: number;
  readonly finalOutcome: number;
}

export interface ReceptionRow {
  readonly origin: string;
  readonly identificativo: string;
  readonly recipient: string;
  readonly digest: string;
  readonly at: number;
  /** The stored receipts, to be sent again byte for byte. */
  readonly presaInCarico: ReceiptRow;
  readonly finalOutcome: ReceiptRow;
}

export interface ReceiptRow extends Omit<KeptReceipt, 'content'> {
  readonly id: number;
  readonly contentId: number;
  readonly size: number;
}

/** What every commit may carry. All of it becomes durable together, or none of it. */
export interface Changes {
  readonly contents: readonly PackedRope[];
  readonly events: readonly RegisterEvent[];
  readonly deposits: readonly Deposit[];
  readonly receipts: readonly KeptReceipt[];
  readonly queue: readonly NewQueueRow[];
  /** Infected messages that go into quarantine. */
  readonly quarantine?: readonly NewQuarantined[] | undefined;
}

/** A row of the register as it stands. */
export interface RegisterRow extends RegisterEvent {
  readonly lane: number;
  readonly seq: number;
  /** When it was recorded; its day in Italy is the day it belongs to. */
  readonly recordedAt: number;
  readonly salt: Uint8Array;
  readonly leaf: Uint8Array;
  readonly link: Uint8Array;
}

/** The end of a lane: what its next entry links to. */
export interface RegisterHead {
  readonly lane: number;
  readonly seq: number;
  readonly link: Uint8Array;
}

/** The entries of one lane in a sealed day; none when `last` is before `first`. Links are lower-case hex. */
export interface SealedLane {
  readonly lane: number;
  readonly first: number;
  readonly last: number;
  /** The link the first entry follows. */
  readonly before: string;
  /** The link of the last one. */
  readonly after: string;
}

/** Where a lane stands at the end of a span of time. */
export type LaneEnd = Pick<SealedLane, 'lane' | 'last' | 'after'>;

/** Whether the entries of a sealed day are there: all, some while they are being deleted, or only held ones. */
export type DayState = 'whole' | 'purging' | 'purged';

/** A day of the register, or a part of an open one, that is closed for good. */
export interface DaySeal {
  /** In Italy: 2026-11-22. */
  readonly day: string;
  /** 0: the whole day. From 1: what was there of an open one. */
  readonly part: number;
  /** Recorded in [recordedFrom, recordedTo), epoch milliseconds. */
  readonly recordedFrom: number;
  readonly recordedTo: number;
  readonly entries: number;
  readonly lanes: readonly SealedLane[];
  readonly root: Uint8Array;
  readonly sealedAt: number;
  /** SHA-256 of the signed file and of the table for eyes, lower-case hex; null until they are written. */
  readonly fileHash: string | null;
  readonly csvHash: string | null;
  /** Answers of the time stamping authority (RFC 3161), over the root and over the signed file. */
  readonly rootToken: Uint8Array | null;
  readonly fileToken: Uint8Array | null;
  readonly state: DayState;
}

/** What keeps the entries about one message beyond their time. */
/** A node served from one instant to another, epoch milliseconds. */
export interface Presence {
  readonly node: string;
  readonly since: number;
  readonly until: number;
}

/** Something an administrator did. */
export interface NewAct {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Who, and from where: `rossi@nodo1`. */
  readonly actor: string;
  /** The command, such as `mailbox suspend`. */
  readonly action: string;
  /** What it was done to; empty for nothing in particular. */
  readonly target: string;
  readonly detail: Readonly<Record<string, string>>;
}

export interface Act extends NewAct {
  /** From 1. */
  readonly seq: number;
  readonly salt: Uint8Array;
  readonly leaf: Uint8Array;
  readonly link: Uint8Array;
}

export interface LegalHold {
  readonly identificativo: string;
  readonly reason: string;
  readonly createdAt: number;
}

/** An entry that a legal hold names. */
export interface HeldPlace {
  readonly lane: number;
  readonly seq: number;
  readonly identificativo: string;
}

/** An entry that outlived its day, with the way from its leaf to the day's root. */
export interface HeldEntry extends HeldPlace {
  readonly day: string;
  /** Place of the leaf in the tree, and how many leaves it has. */
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
}

/** Where a page of the register ended; the next one starts after it. */
export interface RegisterPlace {
  readonly lane: number;
  readonly seq: number;
}

/** Every condition given must hold. Addresses compare without case; `from` <= at < `to`. */
export interface RegisterQuery {
  readonly identificativo?: string | undefined;
  readonly sender?: string | undefined;
  readonly recipient?: string | undefined;
  readonly event?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly after?: RegisterPlace | undefined;
}

/** Where a part of the directory came from, and whom it is believed on. */
export interface DirectorySourceRow {
  readonly id: string;
  /** 'import' for `directory import`, 'configured' for what the file names, fetched. */
  readonly kind: 'import' | 'configured';
  /** The LDIF text as verified. */
  readonly ldif: Uint8Array;
  /** PEM of the trust anchors that came with it. */
  readonly trust: string;
  readonly loadedAt: number;
}

/** One version of a directory, CRL or certificate as it was seen. */
export interface DirectorySnapshot {
  readonly kind: 'directory' | 'crl' | 'certificate';
  /** Where it came from: a file name, a URL, a providerName. */
  readonly source: string;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly hash: string;
  readonly size: number;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

/** A content as it is stored. */
export interface StoredContent {
  readonly id: number;
  readonly size: number;
  readonly text: Uint8Array;
  readonly layout: readonly Piece[];
}

/** A blob as it is stored; `bytes` is null when they are in a file or a bucket. */
export interface StoredBlob {
  readonly hash: BlobHash;
  readonly size: number;
  readonly bytes: Uint8Array | null;
}

/** A rule between the tables that something breaks. */
export interface Inconsistency {
  readonly rule: string;
  /** How many break it, and the first few. */
  readonly count: number;
  readonly examples: readonly string[];
}
