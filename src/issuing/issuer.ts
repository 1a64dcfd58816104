import { randomBytes } from 'node:crypto';
import type { Header } from '../mime/index.js';
import {
  type Certified,
  type Composed,
  composeAnomaly,
  composeEnvelope,
  composeNotification,
  identificativo,
  type LegalTime,
  type Notification,
  type Provider,
  type ReceiptType,
} from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import { type Signer, seal } from '../smime/index.js';

/** A message this gestore has signed and not yet sent. */
export interface Sealed {
  /** Its Message-ID, without angle brackets. */
  readonly messageId: string;
  readonly rope: Rope;
}

/** What the signing of a transport envelope needs beside the certified data. */
export interface EnvelopeInput {
  readonly time: LegalTime;
  readonly certified: Certified;
  readonly receiptType: ReceiptType;
  readonly originalHeader: Header;
  readonly postacert: Rope;
  /** Whether the original has octets above 127 (decisions 17). */
  readonly eightBit: boolean;
  readonly mailFrom: string;
  /** The access point's own Received line, CRLF-ended. */
  readonly received: string;
}

/** What an anomaly envelope is made of (RFC 6109 3.2.2). */
export interface AnomalyInput {
  readonly time: LegalTime;
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  readonly receivedHeader: Header;
  readonly original: Rope;
  readonly eightBit: boolean;
  /** Italian, one sentence part: it follows `per il seguente errore:`. */
  readonly reason: string;
}

/**
 * The office where everything the gestore says is composed, numbered and signed. One instant goes in and stands in
 * Date, daticert, text and CMS signingTime (RFC 6109 4.1).
 */
export class Issuer {
  constructor(
    readonly provider: Provider,
    private readonly signer: () => Signer,
    private readonly random: (octets: number) => Buffer = randomBytes,
  ) {}

  /** A fresh identificativo or Message-ID: unguessable, so that nobody can be first with it. */
  newId(time: LegalTime): string {
    return identificativo(time, this.random(12).toString('hex'), this.provider.mailDomain);
  }

  async notification(input: {
    readonly time: LegalTime;
    readonly to: string;
    readonly certified: Certified;
    readonly notification: Notification;
  }): Promise<Sealed> {
    const messageId = this.newId(input.time);
    return this.sealed(
      messageId,
      composeNotification({ ...input, provider: this.provider, messageId }),
      input.time,
    );
  }

  /** The transport envelope; its Message-ID is the identificativo (RFC 6109 3.1.5). */
  envelope(input: EnvelopeInput): Promise<Sealed> {
    const composed = composeEnvelope({ ...input, provider: this.provider });
    return this.sealed(input.certified.identificativo, composed, input.time);
  }

  async anomaly(input: AnomalyInput): Promise<Sealed> {
    const messageId = this.newId(input.time);
    return this.sealed(
      messageId,
      composeAnomaly({ ...input, provider: this.provider, messageId }),
      input.time,
    );
  }

  private async sealed(messageId: string, composed: Composed, time: LegalTime): Promise<Sealed> {
    return { messageId, rope: await seal(composed, this.signer(), time.epochMs) };
  }
}
