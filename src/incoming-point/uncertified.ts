import { createHash } from 'node:crypto';
import type { Issuer } from '../issuing/index.js';
import type { Header } from '../mime/index.js';
import { addressKey, type LegalTime } from '../pec/index.js';
import type { EventType, RegisterEvent } from '../storage/index.js';
import type { Arrival } from './arrival.js';

/** Characters of a stranger's own words that the register keeps for 30 months. */
const WORDS_LIMIT = 500;

/** A stranger's own words, as long as they are kept. */
export const wordsOf = (text: string | undefined): string => (text ?? '').slice(0, WORDS_LIMIT);

/**
 * An entry of the register about a message that was not certified (RFC 6109 2.3). It has no identificativo: the
 * Message-ID is whatever its sender wrote, and must not put it among the entries of a certified message.
 */
export function uncertifiedEvent(
  { issuer }: { readonly issuer: Issuer },
  arrival: Arrival,
  header: Header,
  time: LegalTime,
  event: EventType,
  detail: Readonly<Record<string, string>>,
): RegisterEvent {
  const messageId = wordsOf(header.raw('Message-ID'));
  return {
    identificativo: '',
    at: time.epochMs,
    event,
    sender: arrival.mailFrom,
    recipients: arrival.recipients,
    subject: wordsOf(header.text('Subject')),
    related: [],
    gestore: issuer.provider.name,
    detail: { ...detail, da: arrival.peer, ...(messageId === '' ? {} : { 'message-id': messageId }) },
  };
}

/** A relay that lost our answer sends the same bytes to the same recipients again: they are delivered once. */
export async function deliveryKey(arrival: Arrival): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of arrival.message.chunks()) hash.update(chunk);
  return ['message', hash.digest('hex'), ...arrival.recipients.map(addressKey).sort()].join(' ');
}
