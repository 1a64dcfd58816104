import { BlobDamaged, StoreConflict } from '../storage/index.js';
import type { Reply, ResponseCode } from '../wire/pop3/index.js';

/** What a refusal counts against; a connection that collects too many is closed. */
export type Charge = 'bad-command' | 'failed-login' | 'none';

/** A refusal meant for the client. Whatever else is thrown is answered `-ERR [SYS/TEMP]`. */
export class Pop3Error extends Error {
  override readonly name = 'Pop3Error';
  readonly code: ResponseCode | undefined;
  /** One plain sentence, Italian / English; nothing about the inside. */
  readonly publicText: string;
  readonly charge: Charge;

  constructor(refusal: {
    readonly code?: ResponseCode;
    readonly publicText: string;
    readonly charge?: Charge;
    readonly cause?: unknown;
  }) {
    super(refusal.publicText, { cause: refusal.cause });
    this.code = refusal.code;
    this.publicText = refusal.publicText;
    this.charge = refusal.charge ?? 'none';
  }
}

/** The connection has to end without a word: the peer is gone, or does not read. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

const GONE = 'Messaggio eliminato da un altro programma / Message removed by another program';
const DAMAGED = 'Messaggio danneggiato, avvisare il gestore / Message damaged, tell your provider';
const LATER = 'Errore temporaneo, riprovare / Temporary error, try again later';

/** The one place where an error becomes a reply. A stranger's error says nothing of itself. */
export function replyFor(error: unknown): Extract<Reply, { status: '-ERR' }> {
  if (error instanceof Pop3Error) return { status: '-ERR', code: error.code, text: error.publicText };
  // The lock keeps POP3 sessions apart only: over IMAP the message may have been expunged since the login.
  if (error instanceof StoreConflict && error.what === 'content') return { status: '-ERR', text: GONE };
  // RFC 3206 4: somebody must mend it, trying again will not.
  if (error instanceof BlobDamaged) return { status: '-ERR', code: 'SYS/PERM', text: DAMAGED };
  return { status: '-ERR', code: 'SYS/TEMP', text: LATER };
}
