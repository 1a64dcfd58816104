import type { Accounts } from '../accounts/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { KeyPair } from '../tls/index.js';
import type { MailboxLocks } from './locks.js';
import type { MaildropStore } from './maildrop.js';

/** implicit: TLS from the first octet (995). starttls: STLS before the login (110). */
export type Pop3Mode = 'implicit' | 'starttls';

export interface Pop3Limits {
  /** Open connections of the listener. */
  readonly connections: number;
  /** Open connections of one remote address; 0: no limit (loopback in `testing`). */
  readonly connectionsPerAddress: number;
  /** Commands refused as no command of ours, before the connection is closed. */
  readonly badCommands: number;
  /** Failed logins of one connection; 0: no limit. */
  readonly failedLogins: number;
}

/** Milliseconds. */
export interface Pop3Timeouts {
  /** Of silence; RFC 1939 3 wants ten minutes at least. */
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

export const defaultLimits: Pop3Limits = {
  connections: 2000,
  connectionsPerAddress: 100,
  badCommands: 20,
  failedLogins: 5,
};

const MINUTE = 60_000;
export const defaultTimeouts: Pop3Timeouts = {
  idle: 10 * MINUTE,
  write: 5 * MINUTE,
  handshake: MINUTE / 2,
  linger: 5_000,
  close: 10_000,
};

export interface Pop3ServerOptions {
  readonly accounts: Pick<Accounts, 'authenticate'>;
  readonly mailstore: MaildropStore;
  readonly telemetry: Pick<Telemetry, 'event'>;
  /** In the greeting. */
  readonly hostname: string;
  readonly tls: KeyPair;
  readonly mode: Pop3Mode;
  /** Logins without TLS too, and as many failed ones as the client likes. */
  readonly testing?: boolean | undefined;
  readonly limits?: Partial<Pop3Limits> | undefined;
  readonly timeouts?: Partial<Pop3Timeouts> | undefined;
  /** Where several listeners serve the same mailboxes; if not given they share by their mailstore. */
  readonly locks?: MailboxLocks | undefined;
}
