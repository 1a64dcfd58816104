import type { Accounts } from '../accounts/index.js';
import type { Connections } from '../limits/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { KeyPair } from '../tls/index.js';
import type { MailboxLocks } from './locks.js';
import type { MaildropStore } from './maildrop.js';

/** implicit: TLS from the first octet (995). starttls: STLS before the login (110). */
export type Pop3Mode = 'implicit' | 'starttls';

export interface Pop3Limits {
  /** Commands refused as no command of ours, before the connection is closed; Infinity for no limit. */
  readonly badCommands: number;
  /** Logins of one connection that failed or had to wait; Infinity for no limit. */
  readonly failedLogins: number;
}

/** Milliseconds. */
export interface Pop3Timeouts {
  /** Of silence; RFC 1939 3 wants ten minutes at least. */
  readonly idle: number;
  /** From the greeting to the login, whatever is said meanwhile. */
  readonly login: number;
  /** In which the peer has to take 256 KiB. */
  readonly write: number;
  /** Of the TLS handshake. */
  readonly handshake: number;
  /** For the peer to close after we did. */
  readonly linger: number;
  /** For running commands when the listener closes. */
  readonly close: number;
}

export const defaultLimits: Pop3Limits = {
  badCommands: 20,
  failedLogins: 5,
};

const MINUTE = 60_000;
export const defaultTimeouts: Pop3Timeouts = {
  idle: 10 * MINUTE,
  // RFC 1939 3 wants its ten minutes for who has a session to lose.
  login: 3 * MINUTE,
  write: 5 * MINUTE,
  handshake: MINUTE / 2,
  linger: 5_000,
  close: 10_000,
};

export interface Pop3ServerOptions {
  readonly accounts: Pick<Accounts, 'authenticate' | 'beginScram'>;
  readonly mailstore: MaildropStore;
  readonly telemetry: Pick<Telemetry, 'event'>;
  /** In the greeting. */
  readonly hostname: string;
  readonly tls: KeyPair;
  readonly mode: Pop3Mode;
  /** Logins without TLS too. */
  readonly testing?: boolean | undefined;
  /** Shared by all listeners; if not given there is no limit. */
  readonly connections?: Pick<Connections, 'enter'> | undefined;
  readonly limits?: Partial<Pop3Limits> | undefined;
  readonly timeouts?: Partial<Pop3Timeouts> | undefined;
  /** Where several listeners serve the same mailboxes; if not given they share by their mailstore. */
  readonly locks?: MailboxLocks | undefined;
}
