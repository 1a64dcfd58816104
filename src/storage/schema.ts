/**
 * The tables as Kysely sees them. Times are epoch milliseconds, sizes octets, flags 0 or 1, `*_key` columns the ASCII
 * lower-case form that unique keys compare. JSON lives in text columns.
 */
import type { Generated } from 'kysely';
import type { QuarantinedKind } from './quarantined.js';
import type {
  DayState,
  EventType,
  MailboxState,
  NoticeStep,
  QueueKind,
  QueueState,
  ReceiptKind,
  SpecialUse,
  TrackingFact,
} from './records.js';

export interface DomainTable {
  /** Lower case. */
  name: string;
  created_at: number;
}

export interface HolderTable {
  id: Generated<number>;
  name: string;
  tax_code: string | null;
  created_at: number;
}

export interface MailboxTable {
  id: Generated<number>;
  /** As its owner wrote it. */
  address: string;
  kind: 'user' | 'service';
  state: MailboxState;
  holder_id: number | null;
  password_hash: string;
  quota: number;
  /** Sum of `message.size`, kept by every deposit and expunge. */
  used: number;
  created_at: number;
  /** The highest UIDVALIDITY given to a folder of this mailbox. */
  last_uid_validity: Generated<number>;
  /** What becomes of ordinary mail: `reject`, `anomaly`, `forward=a@b`; null: what the gestore does. */
  ordinary: Generated<string | null>;
}

/** Certified senders of whose messages somebody outside is told. */
export interface WatchedSenderTable {
  mailbox_id: number;
  sender_key: string;
  notified_key: string;
  sender: string;
  notified: string;
  created_at: number;
}

/** Of a mailbox's password (RFC 5802 3); a mailbox whose password was set before there was SCRAM has none yet. */
export interface ScramTable {
  mailbox_id: number;
  iterations: number;
  salt: Uint8Array;
  stored_key: Uint8Array;
  server_key: Uint8Array;
}

/** What a mailbox's IMAP sessions are not offered. */
export interface HiddenCapabilityTable {
  mailbox_id: number;
  capability: string;
}

/** Every local address, a mailbox's own and its aliases: one key space, so that none is given out twice. */
export interface AddressTable {
  address_key: string;
  address: string;
  domain: string;
  mailbox_id: number;
  is_alias: number;
  created_at: number;
}

export interface FolderTable {
  id: Generated<number>;
  mailbox_id: number;
  name: string;
  special_use: SpecialUse | null;
  uid_validity: number;
  uid_next: number;
  highest_modseq: number;
  /** 0: only a name that others stand under (\Noselect). */
  selectable: Generated<number>;
  /** What was expunged at or below this modseq is not in `expunged` any more. */
  expunged_floor: Generated<number>;
}

export interface MessageTable {
  id: Generated<number>;
  mailbox_id: number;
  folder_id: number;
  uid: number;
  modseq: number;
  content_id: number;
  size: number;
  internal_date: number;
  /** JSON array of strings: the flags that are no system flags. */
  keywords: string;
  /** The system flags, one bit each (flags.ts). */
  system: Generated<number>;
  /** When it came into this folder (RFC 8514). */
  saved_at: Generated<number>;
}

/** UIDs that went lately, for sessions and clients that were not looking (RFC 7162). */
export interface ExpungedTable {
  folder_id: number;
  uid: number;
  modseq: number;
}

/** Names a user subscribed to, whether folders of these names exist or not (RFC 3501 6.3.6). */
export interface SubscriptionTable {
  mailbox_id: number;
  name: string;
}

/** What is computed once of a content, so that listing a mailbox opens no message. Texts hold one octet a character. */
export interface SummaryTable {
  content_id: number;
  /** The header block with its blank line; null when it is long. */
  header: Uint8Array | null;
  /** IMAP's ENVELOPE, BODY and BODYSTRUCTURE, ready for the wire. */
  envelope: string;
  body: string;
  body_structure: string;
  /** JSON: where each part lies. */
  parts: string;
  /** JSON: what messages are sorted and threaded by. */
  sort: string;
  preview: string;
  /** 1: all of its text is in `content_text`. */
  indexed: number;
}

/** Contents of messages that have no summary yet. */
export interface SummaryDueTable {
  content_id: number;
}

/** Full text by trigrams; its rowid is the content's id. SQLite only. */
export interface ContentTextTable {
  rowid: number;
  text: string;
}

export interface ContentTable {
  id: Generated<number>;
  size: number;
  /** JSON: Piece[]. */
  layout: string;
  text: Uint8Array;
}

/** Which blobs a content points at. References are rows, not counters. */
export interface ContentBlobTable {
  content_id: number;
  hash: string;
}

export interface BlobTable {
  hash: string;
  size: number;
  /** The bytes of a small blob; null when they are in a file or a bucket. */
  bytes: Uint8Array | null;
}

/** Contents that lost a reference: the only ones the sweeper has to look at. */
export interface ContentReleaseTable {
  content_id: number;
}

/** Keeps a blob that no content names yet, until `expires_at`. */
export interface BlobLinkTable {
  hash: string;
  expires_at: number;
}

export interface QueueTable {
  id: Generated<number>;
  kind: QueueKind;
  identificativo: string;
  sender: string;
  subject: string;
  origin: string;
  content_id: number;
  size: number;
  mail_from: string;
  recipient: string;
  destination: string;
  eight_bit: number;
  next_attempt: number;
  give_up_at: number;
  state: QueueState;
  attempts: number;
  last_error: string;
  created_at: number;
  fence: number;
  lease_owner: string;
  lease_until: number;
}

export interface OutgoingTable {
  identificativo: string;
  mailbox_id: number;
  sender: string;
  msgid: string;
  subject: string;
  reply_to: string;
  accepted_at: number;
  content_id: number;
}

export interface TrackingTable {
  identificativo: string;
  recipient_key: string;
  recipient: string;
  kind: 'certificato' | 'esterno';
  gestore: string;
  first_notice_at: number | null;
  second_notice_at: number | null;
  /** The notice that falls due next, null when none will: what the timers look for. */
  next_notice_at: number | null;
  next_step: NoticeStep | null;
  taken_at: number | null;
  outcome: Exclude<TrackingFact, 'presa-in-carico'> | null;
  outcome_at: number | null;
}

export interface ReceptionTable {
  origin: string;
  identificativo: string;
  recipient_key: string;
  recipient: string;
  digest: string;
  at: number;
  presa_receipt_id: number;
  outcome_receipt_id: number;
}

export interface ReceiptTable {
  id: Generated<number>;
  direction: 'issued' | 'received';
  origin: string;
  identificativo: string;
  kind: ReceiptKind;
  recipient_key: string;
  recipient: string;
  step: string;
  message_id: string;
  content_id: number;
  size: number;
  at: number;
}

export interface QuarantineTable {
  id: string;
  at: number;
  kind: QuarantinedKind;
  identificativo: string;
  gestore: string;
  sender: string;
  /** JSON array of strings. */
  recipients: string;
  subject: string;
  virus: string;
  engine: string;
  /** Of the message in the clear, as is `size`. */
  sha256: string;
  size: number;
  key_id: string;
  content_id: number;
}

export interface SeenNotificationTable {
  digest: string;
  at: number;
}

export interface RegistroTable {
  lane: number;
  seq: number;
  identificativo: string;
  at: number;
  event: EventType;
  sender: string;
  /** JSON array of strings. */
  recipients: string;
  subject: string;
  /** JSON array of strings. */
  related: string;
  gestore: string;
  /** JSON object of strings. */
  detail: string;
  recorded_at: number;
  salt: Uint8Array;
  leaf: Uint8Array;
  link: Uint8Array;
}

/** A day of the register as it was sealed. Hashes are lower-case hex. */
export interface DaySealTable {
  /** 0: the whole day; from 1: what was there of an open one. */
  part: number;
  /** In Italy: 2026-11-22. */
  day: string;
  recorded_from: number;
  recorded_to: number;
  entries: number;
  /** JSON: SealedLane[]. */
  lanes: string;
  root: Uint8Array;
  sealed_at: number;
  file_hash: string | null;
  csv_hash: string | null;
  root_token: Uint8Array | null;
  file_token: Uint8Array | null;
  state: DayState;
}

export interface LegalHoldTable {
  identificativo: string;
  reason: string;
  created_at: number;
}

/** Of an entry that a legal hold keeps beyond its day: the path to the day's root. */
export interface HeldEntryTable {
  lane: number;
  seq: number;
  identificativo: string;
  day: string;
  position: number;
  size: number;
  /** Hashes of 32 octets, from the leaf's sibling up. */
  path: Uint8Array;
}

/** The log of administrators' acts and of logins, a chain of its own. */
export interface PresenceTable {
  node: string;
  since: number;
  until: number;
}

export interface ActTable {
  seq: number;
  at: number;
  actor: string;
  action: string;
  target: string;
  /** JSON object of strings. */
  detail: string;
  salt: Uint8Array;
  leaf: Uint8Array;
  link: Uint8Array;
}

export interface DirectorySourceTable {
  id: string;
  kind: 'import' | 'configured';
  ldif: Uint8Array;
  trust: string;
  loaded_at: number;
}

/** One row, that counts the changes to domains and sources. */
export interface DirectoryVersionTable {
  id: number;
  version: number;
}

/** Trust is dated: every directory, CRL and certificate version seen stays. */
export interface DirectorySnapshotTable {
  kind: 'directory' | 'crl' | 'certificate';
  /** Where it came from: a file name, a URL, a providerName. */
  source: string;
  /** SHA-256 of `bytes`, lower-case hex. */
  hash: string;
  bytes: Uint8Array;
  first_seen_at: number;
  last_seen_at: number;
}

export interface Database {
  domain: DomainTable;
  holder: HolderTable;
  mailbox: MailboxTable;
  scram: ScramTable;
  hidden_capability: HiddenCapabilityTable;
  address: AddressTable;
  watched_sender: WatchedSenderTable;
  folder: FolderTable;
  message: MessageTable;
  expunged: ExpungedTable;
  subscription: SubscriptionTable;
  summary: SummaryTable;
  summary_due: SummaryDueTable;
  content_text: ContentTextTable;
  content: ContentTable;
  content_blob: ContentBlobTable;
  content_release: ContentReleaseTable;
  blob: BlobTable;
  blob_link: BlobLinkTable;
  queue: QueueTable;
  outgoing: OutgoingTable;
  tracking: TrackingTable;
  reception: ReceptionTable;
  receipt: ReceiptTable;
  seen_notification: SeenNotificationTable;
  quarantine: QuarantineTable;
  registro: RegistroTable;
  day_seal: DaySealTable;
  legal_hold: LegalHoldTable;
  held_entry: HeldEntryTable;
  act: ActTable;
  presence: PresenceTable;
  directory_source: DirectorySourceTable;
  directory_version: DirectoryVersionTable;
  directory_snapshot: DirectorySnapshotTable;
}
