import { BlobDamaged, StoreConflict } from '../storage/index.js';
import { ImapSyntaxError } from '../wire/imap/index.js';

/** How a command ended otherwise than well (RFC 9051 7.1). */
export interface Failure {
  readonly status: 'NO' | 'BAD';
  /** A response code without its brackets (RFC 5530). */
  readonly code?: string | undefined;
  /** One plain sentence, Italian / English; nothing about the inside. */
  readonly text: string;
}

/** What a refusal counts against; a connection that collects too many is closed. */
export type Charge = 'bad-command' | 'failed-login' | 'none';

/** A refusal meant for the client. Whatever else is thrown is answered `NO [UNAVAILABLE]`. */
export class ImapError extends Error implements Failure {
  override readonly name = 'ImapError';
  readonly status: 'NO' | 'BAD';
  readonly code: string | undefined;
  readonly text: string;
  readonly charge: Charge;

  constructor(failure: Failure & { readonly charge?: Charge; readonly cause?: unknown }) {
    super(failure.text, { cause: failure.cause });
    this.status = failure.status;
    this.code = failure.code;
    this.text = failure.text;
    this.charge = failure.charge ?? 'none';
  }
}

const GONE: Failure = {
  status: 'NO',
  code: 'EXPUNGEISSUED',
  text: 'Alcuni messaggi sono stati eliminati / Some messages are gone',
};

const conflicts: Partial<Record<StoreConflict['what'], Failure>> = {
  folder: { status: 'NO', code: 'NONEXISTENT', text: 'La cartella non esiste / No such mailbox' },
  'folder-exists': {
    status: 'NO',
    code: 'ALREADYEXISTS',
    text: 'La cartella esiste / The mailbox exists already',
  },
  'folder-children': {
    status: 'NO',
    code: 'HASCHILDREN',
    text: 'La cartella ne contiene altre / The mailbox has inferior names',
  },
  quota: { status: 'NO', code: 'OVERQUOTA', text: 'Casella piena / The mailbox is full' },
  content: GONE,
  message: GONE,
};

const LATER: Failure = {
  status: 'NO',
  code: 'UNAVAILABLE',
  text: 'Errore temporaneo, riprovare / Temporary error, try again later',
};

const DAMAGED: Failure = {
  status: 'NO',
  code: 'CORRUPTION',
  text: 'Il messaggio e danneggiato, il gestore e avvisato / The message is damaged, the operator is told',
};

/** The one place where an error becomes an answer. A stranger's error says nothing of itself. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ImapError) return error;
  if (error instanceof ImapSyntaxError) return { status: 'BAD', text: error.message };
  if (error instanceof StoreConflict) return conflicts[error.what] ?? LATER;
  return error instanceof BlobDamaged ? DAMAGED : LATER;
}
