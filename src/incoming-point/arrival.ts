import type { Rope } from '../rope/index.js';

/** A message as the MX session or the local relay brought it. */
export interface Arrival {
  /** SMTP reverse path; empty for the null path. */
  readonly mailFrom: string;
  /** SMTP forward paths, all in our domains, case kept; one that comes twice counts once. */
  readonly recipients: readonly string[];
  /** As received, byte for byte; durable already where it is too large for the commit itself. */
  readonly message: Rope;
  readonly eightBit: boolean;
  /** Whether the connection was protected by TLS, or there was none. */
  readonly secure: boolean;
  /** Address of the client, or `local` for a recipient of this same gestore. */
  readonly peer: string;
  /** What the client called itself. */
  readonly helo?: string | undefined;
  /** The Received field of this reception (RFC 5321 4.4). @param date RFC 5322 */
  readonly received?: ((date: string) => string) | undefined;
  /** Called as soon as the message is known to be signed by a gestore of the directory. */
  readonly onCertified?: (() => void) | undefined;
}
