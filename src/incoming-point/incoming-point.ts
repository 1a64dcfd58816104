import type { Antivirus } from '../antivirus/index.js';
import { type DeliveryPoint, type EnvelopeInHand, envelopeEvent } from '../delivery-point/index.js';
import type { Directory } from '../directory/index.js';
import type { Issuer } from '../issuing/index.js';
import type { Header } from '../mime/index.js';
import { distinctAddresses, type LegalTime, legalTime, sortRecipients } from '../pec/index.js';
import { ChangeSet, type Mailbox, type Store, StoreConflict } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Arrival } from './arrival.js';
import { certifiedOf } from './certified.js';
import { type Inspection, type Inspector, inspect } from './inspect.js';
import { takeNotification } from './notification.js';
import { takeOrdinary } from './ordinary.js';
import { refusals } from './refusals.js';
import { requireClean } from './scan.js';
import { repeatReceipts, takeCharge } from './take-charge.js';
import { tryWrap, type Wrapped, wrap } from './wrap.js';

export interface IncomingPointOptions extends Inspector {
  readonly store: Store;
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly deliveryPoint: DeliveryPoint;
  readonly antivirus: Antivirus;
  readonly findMailbox: (address: string) => Promise<Mailbox | undefined>;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly serviceMailbox: string;
  readonly post: { readonly mailDomain: string; readonly giveUpAfter: number };
  /** The rule of mailboxes that set none (interfaces, `policy.ordinary_mail`). */
  readonly ordinaryMail: 'reject' | 'anomaly';
}

/** Two receptions of one message may race for its keys; the loser reads what the winner wrote and answers the same. */
const ATTEMPTS = 5;

/**
 * The incoming point (RFC 6109 2.2.2, 3.2). Invariant: when `receive` resolves, whatever the message called for is
 * durable in one commit; when it throws, nothing is. The same message received again changes nothing but the
 * register and sends the same stored receipts.
 */
export class IncomingPoint {
  constructor(private readonly options: IncomingPointOptions) {}

  /** @throws SmtpError for a refusal; StoreUnavailable and the like for a temporary failure. */
  async receive(brought: Arrival): Promise<void> {
    await this.options.directory.current();
    // The relay hands over together whatever waits for one place: a repeated receipt and its first copy too.
    const arrival = { ...brought, recipients: distinctAddresses(brought.recipients) };
    const time = legalTime(this.options.clock());
    const inspection = await inspect(this.options, arrival, time);
    if (inspection.kind !== 'ordinary' && inspection.kind !== 'later') arrival.onCertified?.();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.dispatch(arrival, inspection, time);
        return;
      } catch (error) {
        if (!(error instanceof StoreConflict) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  private async dispatch(arrival: Arrival, inspection: Inspection, time: LegalTime): Promise<void> {
    const { options } = this;
    switch (inspection.kind) {
      case 'later':
        throw refusals.signatureUnverifiable(inspection.reason);
      case 'envelope':
        return this.takeEnvelope(arrival, inspection, time);
      case 'notification':
        return takeNotification(options, arrival, inspection, time);
      case 'malformed':
        return wrap(options, arrival, inspection.header, time, { reason: inspection.reason, rule: 'always' });
      case 'anomaly':
        return wrap(options, arrival, inspection.header, time, { reason: null, rule: 'always' });
      case 'ordinary':
        return takeOrdinary(options, arrival, inspection, time);
    }
  }

  /** Decisions 6 and 7, recipient by recipient: one that does not exist takes nothing from those that do. */
  private async wrapStrays(
    arrival: Arrival,
    header: Header,
    time: LegalTime,
    strays: readonly { readonly recipient: string; readonly reason: string }[],
    alone: boolean,
  ): Promise<void> {
    const outcomes: Wrapped[] = [];
    for (const { recipient, reason } of strays) {
      const one = { ...arrival, recipients: [recipient] };
      outcomes.push(await tryWrap(this.options, one, header, time, { reason, rule: 'always' }));
    }
    if (!alone || outcomes.includes('delivered')) return;
    throw outcomes.includes('full') ? refusals.mailboxFull() : refusals.unknownMailbox();
  }

  private async takeEnvelope(
    arrival: Arrival,
    inspection: Extract<Inspection, { kind: 'envelope' }>,
    time: LegalTime,
  ): Promise<void> {
    const { options } = this;
    const envelope: EnvelopeInHand = {
      time,
      origin: inspection.origin.providerName,
      certified: certifiedOf(inspection.daticert),
      receiptType: inspection.daticert.ricevuta ?? 'completa',
      mailFrom: arrival.mailFrom,
      message: arrival.message,
      postacert: inspection.postacert,
      eightBit: arrival.eightBit,
      postacertHeader: inspection.postacertHeader,
      header: inspection.header,
    };
    const { identificativo } = envelope.certified;
    const known = await options.store.read('findReception', { origin: envelope.origin, identificativo });
    const { fresh, repeated, anomalies } = sortRecipients(
      arrival.recipients,
      inspection.daticert,
      inspection.digest,
      known,
    );
    await this.wrapStrays(arrival, inspection.header, time, anomalies, fresh.length + repeated.length === 0);
    if (fresh.length + repeated.length === 0) return;
    if (fresh.length > 0) await requireClean(options, arrival, inspection.header, time);

    const changes = new ChangeSet((rope) => options.store.pack(rope));
    changes.event(
      envelopeEvent(envelope, 'ricezione-busta', [...fresh, ...repeated.map((row) => row.recipient)], [], {
        da: arrival.peer,
        ...(arrival.secure ? {} : { canale: 'non protetto' }),
        ...(repeated.length > 0 ? { ripetuta: repeated.map((row) => row.recipient).join(' ') } : {}),
      }),
    );
    if (!arrival.secure) {
      // A valid envelope without TLS is accepted, registered, and an alarm (decisions 21).
      options.telemetry.event('alarm', {
        name: 'envelope-without-tls',
        identificativo,
        reason: arrival.peer,
      });
    }
    repeatReceipts(options, envelope, repeated, changes);
    const taken =
      fresh.length === 0
        ? { reception: [], deliveries: [] }
        : await takeCharge(options, envelope, inspection.digest, fresh, changes);
    await options.store.write('commitReception', {
      ...changes.changes(),
      reception: taken.reception,
      expect: taken.deliveries.flatMap(({ expect }) => (expect === undefined ? [] : [expect])),
    });
    options.telemetry.event('reception.envelope', {
      identificativo,
      origin: envelope.origin,
      delivered: taken.deliveries.filter(({ delivered }) => delivered).length,
      refused: taken.deliveries.filter(({ delivered }) => !delivered).length,
      repeated: repeated.length,
    });
  }
}
