import { encodeSubject, type Header } from '../mime/index.js';
import type { Rope } from '../rope/index.js';
import { composeEntity } from './body.js';
import { certifiedData } from './certified-data.js';
import { buildDaticert } from './daticert-write.js';
import { copied, line, onBehalfOf, oneLine, replyTo } from './header-lines.js';
import { boundariesOf } from './identificativo.js';
import { envelopeWording } from './texts.js';
import {
  type Certified,
  type Composed,
  type LegalTime,
  type Provider,
  type ReceiptType,
  serviceAddress,
} from './types.js';

export interface EnvelopeInput {
  readonly provider: Provider;
  /** The one instant of the transaction (RFC 6109 4.1). */
  readonly time: LegalTime;
  readonly certified: Certified;
  readonly receiptType: ReceiptType;
  /** Header of the message as the user submitted it. */
  readonly originalHeader: Header;
  /** The `rope` of `composePostacert`. */
  readonly postacert: Rope;
  /** Whether postacert has octets above 127, where the caller knows; see `isEightBit`. */
  readonly eightBit?: boolean | undefined;
  /** Reverse path of the submission, without `<>`: the user. */
  readonly mailFrom: string;
  /** The access point's Received line or lines, CRLF-ended. */
  readonly received: string;
}

/**
 * The busta di trasporto, ready to be signed (RFC 6109 3.1.5). Its header is an allow-list: Received, To, Cc and
 * Reply-To byte for byte from the original, and the mandated fields; nothing else the user wrote gets there
 * (decisions 16).
 * @throws RangeError without a recipient
 */
export function composeEnvelope(input: EnvelopeInput): Composed {
  const { provider, time, certified, originalHeader } = input;
  const boundaries = boundariesOf(certified.identificativo);
  const wording = envelopeWording(time, certified);
  const { entity, eightBit } = composeEntity({
    boundaries,
    wording,
    daticert: buildDaticert({
      tipo: 'posta-certificata',
      errore: 'nessuno',
      ...certifiedData(provider, time, certified),
      ricevuta: input.receiptType,
    }),
    original: { rope: input.postacert, eightBit: input.eightBit },
  });
  const header =
    input.received +
    copied(originalHeader, 'Received') +
    `Subject: ${encodeSubject(wording.prefix, oneLine(certified.subject))}\r\n` +
    // Decisions 15: none when the client gave no Message-ID.
    (certified.msgid === undefined ? '' : line('X-Riferimento-Message-ID', certified.msgid)) +
    `Date: ${time.date}\r\n` +
    replyTo(originalHeader, input.mailFrom) +
    copied(originalHeader, 'To') +
    copied(originalHeader, 'Cc') +
    'X-Trasporto: posta-certificata\r\n' +
    line('From', onBehalfOf(input.mailFrom, serviceAddress(provider.mailDomain))) +
    `X-TipoRicevuta: ${input.receiptType}\r\n` +
    line('Message-ID', `<${certified.identificativo}>`) +
    (eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : '');
  return { header, entity, boundary: boundaries.signed };
}
