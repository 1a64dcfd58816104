import { MimeError } from '../mime/index.js';

/** What a peer is told when a command or a message is refused, and why for the log. */
export interface SmtpRefusal {
  /** Reply code, 4xx or 5xx. */
  readonly code: number;
  /** Enhanced status code (RFC 3463), of the class of `code`. */
  readonly enhanced: string;
  /** One plain sentence, Italian / English; nothing about the inside. */
  readonly publicText: string;
  readonly cause?: unknown;
}

/** A refusal meant for the peer. Whatever else a handler throws is answered `451 4.3.0`. */
export class SmtpError extends Error implements SmtpRefusal {
  override readonly name = 'SmtpError';
  readonly code: number;
  readonly enhanced: string;
  readonly publicText: string;

  constructor(refusal: SmtpRefusal) {
    super(`${refusal.code} ${refusal.enhanced} ${refusal.publicText}`, { cause: refusal.cause });
    this.code = refusal.code;
    this.enhanced = refusal.enhanced;
    this.publicText = refusal.publicText;
  }

  /** True when the peer may try again. */
  get temporary(): boolean {
    return this.code < 500;
  }
}

/** A reply ready for the wire: the text starts with its enhanced code. */
export interface ReplyLine {
  readonly code: number;
  readonly text: string;
}

/** RFC 5321 4.5.3.1.5: a reply line has 512 octets, code and CRLF included. */
const MAX_REPLY_TEXT = 500;

/** Past the limits on header, depth or parts: trying again would not help. */
const UNREADABLE: ReplyLine = {
  code: 554,
  text: '5.6.0 Struttura del messaggio non leggibile / Message structure cannot be read',
};

/** Whatever went wrong here, the peer's message is as good as before. */
export const localError = {
  code: 451,
  enhanced: '4.3.0',
  publicText: 'Errore temporaneo, riprovare / Temporary local error, try again later',
} as const;

/** The one place where an error becomes a reply. A stranger's error says nothing of itself. */
export function replyFor(error: unknown): ReplyLine {
  if (error instanceof MimeError) return UNREADABLE;
  const { code, enhanced, publicText } = error instanceof SmtpError ? error : localError;
  return { code, text: wireText(`${enhanced} ${publicText}`) };
}

/** One line of printable ASCII: accents are dropped, other characters become `?` (RFC 5321 4.2). */
export function wireText(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/[^\x20-\x7e]/gu, '?')
    .slice(0, MAX_REPLY_TEXT);
}
