import { randomBytes } from 'node:crypto';

/** What a test wants to be in a message; the rest is made up. */
export interface Letter {
  readonly from: string;
  readonly to?: readonly string[];
  readonly cc?: readonly string[];
  /** As it shall stand in the header. */
  readonly subject?: string;
  /** Without its brackets; null for none. */
  readonly messageId?: string | null;
  /** Further lines, without CRLF. */
  readonly fields?: readonly string[];
  /** With CRLF line ends. */
  readonly body?: string;
}

/** A message as a mail program would write it, canonical CRLF. */
export function letter({ from, to, cc, subject, messageId, fields = [], body }: Letter): Buffer {
  const id = messageId === undefined ? `${randomBytes(8).toString('hex')}@client.example` : messageId;
  const lines = [
    `From: ${from}`,
    ...(to === undefined ? [] : [`To: ${to.join(',\r\n ')}`]),
    ...(cc === undefined ? [] : [`Cc: ${cc.join(',\r\n ')}`]),
    ...(subject === undefined ? [] : [`Subject: ${subject}`]),
    ...(id === null ? [] : [`Message-ID: <${id}>`]),
    'Date: Sat, 22 Nov 2025 10:00:00 +0100',
    ...fields,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? 'Buongiorno.\r\n\r\n.\r\nSaluti\r\n'}`, 'utf8');
}

/** The identificativo a `250 2.0.0 <identificativo>` names (interfaces, Mail). */
export function identificativoIn({ line }: { readonly line: string }): string {
  const [, id] = /^250 2\.0\.0 <?([^\s<>]+@[^\s<>]+)>?$/.exec(line) ?? [];
  if (id === undefined) throw new Error(`not accepted: ${line}`);
  return id;
}
