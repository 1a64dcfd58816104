import type { Accounts } from '../accounts/index.js';
import type { Connections } from '../limits/index.js';
import type { Mailstore } from '../mailstore/index.js';
import type { BlobKeeper } from '../smtp/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { KeyPair } from '../tls/index.js';
import type { RecentClaims } from './recent.js';

/** implicit: TLS from the first octet (993). starttls: STARTTLS before the login (143). */
export type ImapMode = 'implicit' | 'starttls';

export interface ImapLimits {
  /** Octets of the lines of one command. */
  readonly command: number;
  /** Octets of a literal that is no message. */
  readonly literal: number;
  /** Octets of a command before the login, literals included. */
  readonly beforeLogin: number;
  /** Octets of a message of APPEND (RFC 7889). */
  readonly append: number;
  /** Commands refused as no command of ours, before the connection is closed. */
  readonly badCommands: number;
  /** Logins of one connection that failed or had to wait; Infinity for no limit. */
  readonly failedLogins: number;
}

/** Milliseconds. */
export interface ImapTimeouts {
  /** From the greeting to the login, whatever is said meanwhile. */
  readonly login: number;
  /** Of silence; RFC 9051 5.4 wants half an hour at least. IDLE counts as silence. */
  readonly idle: number;
  /** In which the peer has to take 256 KiB. */
  readonly write: number;
  /** Of the TLS handshake. */
  readonly handshake: number;
  /** For the peer to close after we did. */
  readonly linger: number;
  /** For running commands when the listener closes. */
  readonly close: number;
}

export const defaultLimits: ImapLimits = {
  command: 64 * 1024,
  literal: 64 * 1024,
  // RFC 2971 3.3: thirty fields of 1024 octets.
  beforeLogin: 40 * 1024,
  append: 100 * 1024 * 1024,
  badCommands: 50,
  failedLogins: 5,
};

const MINUTE = 60_000;
export const defaultTimeouts: ImapTimeouts = {
  login: 3 * MINUTE,
  idle: 31 * MINUTE,
  write: 5 * MINUTE,
  handshake: MINUTE / 2,
  linger: 5_000,
  close: 10_000,
};

/** What all sessions have in common. */
export interface Services {
  readonly accounts: Pick<Accounts, 'authenticate' | 'beginScram' | 'hiddenCapabilities'>;
  readonly mailstore: Mailstore;
  readonly keeper: BlobKeeper;
  readonly telemetry: Pick<Telemetry, 'event'>;
  /** In the greeting. */
  readonly hostname: string;
  readonly spoolDir: string;
  readonly mode: ImapMode;
  /** Logins without TLS too. */
  readonly testing: boolean;
  /** Whether COMPRESS is offered. */
  readonly compress: boolean;
  readonly limits: ImapLimits;
  readonly timeouts: ImapTimeouts;
  readonly now: () => number;
  /** When this process began, epoch milliseconds: what came since then is recent to somebody. */
  readonly startedAt: number;
  readonly recent: RecentClaims;
}

export interface ImapServerOptions extends Pick<Services, 'accounts' | 'mailstore' | 'keeper' | 'telemetry'> {
  /** In the greeting. */
  readonly hostname: string;
  readonly tls: KeyPair;
  readonly mode: ImapMode;
  /** Folder for messages that are being appended. */
  readonly spoolDir: string;
  /** Logins without TLS too. */
  readonly testing?: boolean | undefined;
  /** Whether COMPRESS is offered; not if not given. */
  readonly compress?: boolean | undefined;
  /** The door that all listeners share; without one there is no limit. */
  readonly connections?: Pick<Connections, 'enter'> | undefined;
  readonly limits?: Partial<ImapLimits> | undefined;
  readonly timeouts?: Partial<ImapTimeouts> | undefined;
  /** Shared by the listeners of a process. */
  readonly recent: RecentClaims;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
