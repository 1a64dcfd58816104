import type { Antivirus, Quarantine } from '../antivirus/index.js';
import type { DeliveryPoint, DkimSign } from '../delivery-point/index.js';
import type { Directory } from '../directory/index.js';
import type { Issuer } from '../issuing/index.js';
import { Windows } from '../limits/index.js';
import { distinctAddresses, type LegalTime, legalTime } from '../pec/index.js';
import { type Mailbox, type Store, StoreConflict } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Arrival } from './arrival.js';
import { type Inspection, type Inspector, inspect } from './inspect.js';
import { takeNotification } from './notification.js';
import { takeOrdinary } from './ordinary.js';
import { refusals } from './refusals.js';
import type { SenderCheck } from './sender-check.js';
import { takeEnvelope } from './take-envelope.js';
import { wrap } from './wrap.js';

export interface IncomingPointOptions extends Inspector {
  readonly store: Store;
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly deliveryPoint: DeliveryPoint;
  readonly antivirus: Antivirus;
  readonly quarantine: Quarantine;
  readonly findMailbox: (address: string) => Promise<Mailbox | undefined>;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly serviceMailbox: string;
  readonly post: { readonly mailDomain: string; readonly giveUpAfter: number };
  /** The rule of mailboxes that set none (interfaces, `policy.ordinary_mail`). */
  readonly ordinaryMail: 'reject' | 'anomaly';
  readonly checkSender: SenderCheck;
  readonly dkim?: DkimSign | undefined;
  readonly hostname: string;
}

/** Two receptions of one message may race for its keys; the loser reads what the winner wrote and answers the same. */
const ATTEMPTS = 5;

/**
 * The incoming point (RFC 6109 2.2.2, 3.2). Invariant: when `receive` resolves, whatever the message called for is
 * durable in one commit; when it throws, nothing is. The same message received again changes nothing but the
 * register and sends the same stored receipts.
 */
export class IncomingPoint {
  readonly #reports = new Windows();

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
        return takeEnvelope(options, arrival, inspection, time);
      case 'notification':
        return takeNotification(options, arrival, inspection, time);
      case 'malformed':
        return wrap(options, arrival, inspection.header, time, {
          reason: inspection.reason,
          gestore: inspection.origin.providerName,
        });
      case 'anomaly':
        return wrap(options, arrival, inspection.header, time, {
          reason: null,
          gestore: inspection.origin.providerName,
        });
      case 'ordinary':
        return takeOrdinary({ ...options, reports: this.#reports }, arrival, inspection, time);
    }
  }
}
