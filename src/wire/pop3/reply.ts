import { wireText } from './text.js';

/** RFC 2449 8.1.2; RFC 3206 4 and 5. */
export type ResponseCode = 'IN-USE' | 'AUTH' | 'SYS/TEMP' | 'SYS/PERM';

/** The first line of an answer, or all of it. */
export type Reply =
  /** A server challenge (RFC 5034 4). */
  | { readonly status: '+'; readonly challenge: Buffer }
  | { readonly status: '+OK'; readonly text: string }
  | { readonly status: '-ERR'; readonly code?: ResponseCode | undefined; readonly text: string };

/** Octets of a reply line, CRLF included (RFC 2449 4). */
const MAX_REPLY = 512;

/** Ends an answer of several lines (RFC 1939 3). */
export const END = '.\r\n';

/** The reply as a line of ASCII. */
export function encodeReply(reply: Reply): string {
  // Even an empty challenge keeps its space (RFC 5034 4).
  if (reply.status === '+') return `+ ${reply.challenge.toString('base64')}\r\n`;
  const code = reply.status === '-ERR' && reply.code !== undefined ? `[${reply.code}] ` : '';
  // RFC 2449 3: text that starts with a bracket would be read as a response code.
  const text = reply.text.startsWith('[') ? `(${reply.text.slice(1)}` : reply.text;
  const line = wireText(`${reply.status} ${code}${text}`, MAX_REPLY - 2).trimEnd();
  return `${line}\r\n`;
}
