import { type Header, parseAddresses } from '../mime/index.js';

/** Longer ones cannot be repeated in a header line (RFC 5322 2.1.1) and count as absent. */
const MESSAGE_ID_LIMIT = 990;

/**
 * The Message-ID the user's client gave, with its `<>`; undefined when it gave none (decisions 15). Of several the
 * first. Brackets that are missing are added; characters that no Message-ID may have become `?`.
 */
export function originalMessageId(header: Header): string | undefined {
  const raw = header.raw('Message-ID')?.trim() ?? '';
  const token = /<([^<>\s]+)>/.exec(raw)?.[1] ?? /^[^<>\s]+$/.exec(raw)?.[0];
  if (token === undefined || token.length > MESSAGE_ID_LIMIT) return undefined;
  return `<${token.replace(/[^\x21-\x7e]/g, '?')}>`;
}

/**
 * `risposte`: the addresses of the original's Reply-To, without names, joined by `, `; undefined when it has none
 * (RFC 6109 4.4).
 */
export function replyToOf(header: Header): string | undefined {
  const addresses = header.all('Reply-To').flatMap((field) => parseAddresses(field.raw).mailboxes);
  return addresses.length === 0 ? undefined : addresses.map(({ address }) => address).join(', ');
}
