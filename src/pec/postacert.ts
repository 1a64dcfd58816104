import type { Header } from '../mime/index.js';
import { Rope } from '../rope/index.js';
import { line, without } from './header-lines.js';
import { originalMessageId } from './original-header.js';

const REPLACED: ReadonlySet<string> = new Set(['message-id', 'x-riferimento-message-id']);

/** postacert.eml. */
export interface Postacert {
  /** The access point's Received, the original's header with the identifiers changed, and the body as a slice. */
  readonly rope: Rope;
  /** Its header block, blank line included. */
  readonly header: Buffer;
}

/**
 * The original as it travels inside the envelope (RFC 6109 3.1.5, pec-format 1.2): the Message-ID gives way to the PEC
 * msgid and X-Riferimento-Message-ID takes the old one, both at the end of the header block. One brought by the user is
 * dropped, doubled Message-IDs collapse (decisions 15). The access point's Received stands on top (decisions 16).
 * Every other byte is the user's; the body is not touched.
 */
export function composePostacert(input: {
  readonly original: Rope;
  /** Of `original`. */
  readonly header: Header;
  /** Without `<>`. */
  readonly identificativo: string;
  /** CRLF-ended. */
  readonly received: string;
}): Postacert {
  const msgid = originalMessageId(input.header);
  const text =
    input.received +
    without(input.header, REPLACED) +
    line('Message-ID', `<${input.identificativo}>`) +
    (msgid === undefined ? '' : line('X-Riferimento-Message-ID', msgid)) +
    '\r\n';
  const header = Buffer.from(text, 'latin1');
  return { rope: Rope.of(header, input.original.slice(input.header.bodyOffset)), header };
}
