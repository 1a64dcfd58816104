import { type EnvelopeInHand, envelopeEvent } from '../delivery-point/index.js';
import type { Header } from '../mime/index.js';
import { type LegalTime, sortRecipients } from '../pec/index.js';
import { ChangeSet, type MailboxState, type NewReception, type ReceptionRow } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import { certifiedOf } from './certified.js';
import { type InfectedOptions, takeInfected } from './infected-envelope.js';
import type { Inspection } from './inspect.js';
import { type Infection, scan } from './scan.js';
import { type ChargeOptions, repeatReceipts, takeCharge } from './take-charge.js';
import { uncertifiedEvent } from './uncertified.js';
import { refusalOf, type Stray, tryWrapEach, type WrapOptions } from './wrap.js';

export type EnvelopeOptions = ChargeOptions & InfectedOptions & WrapOptions;

/** What the recipients of one transaction are, and what was found in the envelope for them. */
interface Sorted {
  readonly fresh: readonly string[];
  readonly repeated: readonly ReceptionRow[];
  readonly anomalies: readonly Stray[];
  readonly infection: Infection | null;
}

/** What a commit does for the fresh recipients. */
interface Taken {
  readonly reception: readonly NewReception[];
  readonly expect: readonly { readonly mailboxId: number; readonly state: MailboxState }[];
  readonly delivered: number;
  readonly refused: number;
}

const NOTHING: Taken = { reception: [], expect: [], delivered: 0, refused: 0 };

/** A correct envelope, recipient by recipient: one presa in carico, one outcome each, one commit (RFC 6109 2.2.2, 3.2). */
export async function takeEnvelope(
  options: EnvelopeOptions,
  arrival: Arrival,
  inspection: Extract<Inspection, { kind: 'envelope' }>,
  time: LegalTime,
): Promise<void> {
  const envelope = inHand(arrival, inspection, time);
  const sorted = await sort(options, arrival, inspection, envelope);
  const { fresh, repeated, anomalies, infection } = sorted;
  const alone = fresh.length + repeated.length === 0;
  if (infection === null) await wrapStrays(options, arrival, inspection, time, { strays: anomalies, alone });
  if (alone) return;
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  registerArrival(options, arrival, envelope, sorted, changes);
  repeatReceipts(options, envelope, repeated, changes);
  const taken = await take(options, arrival, inspection, envelope, sorted, changes);
  const { reception, expect, delivered, refused } = taken;
  await options.store.write('commitReception', { ...changes.changes(), reception, expect });
  const { identificativo } = envelope.certified;
  const { origin } = envelope;
  options.telemetry.event('reception.envelope', {
    identificativo,
    origin,
    delivered,
    refused,
    repeated: repeated.length,
  });
}

function inHand(
  arrival: Arrival,
  inspection: Extract<Inspection, { kind: 'envelope' }>,
  time: LegalTime,
): EnvelopeInHand {
  return {
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
}

async function sort(
  options: EnvelopeOptions,
  arrival: Arrival,
  { daticert, digest }: Extract<Inspection, { kind: 'envelope' }>,
  { origin, certified: { identificativo } }: EnvelopeInHand,
): Promise<Sorted> {
  const known = await options.store.read('findReception', { origin, identificativo });
  const sorted = sortRecipients(arrival.recipients, daticert, digest, known);
  // What was answered already is answered again, whatever newer signatures say.
  const infection = sorted.fresh.length > 0 ? await scan(options, arrival.message, identificativo) : null;
  return { ...sorted, infection };
}

function registerArrival(
  options: EnvelopeOptions,
  arrival: Arrival,
  envelope: EnvelopeInHand,
  { fresh, repeated }: Sorted,
  changes: ChangeSet,
): void {
  changes.event(
    envelopeEvent(envelope, 'ricezione-busta', [...fresh, ...repeated.map((row) => row.recipient)], [], {
      da: arrival.peer,
      ...(arrival.secure ? {} : { canale: 'non protetto' }),
      ...(repeated.length > 0 ? { ripetuta: repeated.map((row) => row.recipient).join(' ') } : {}),
    }),
  );
  if (arrival.secure) return;
  // A valid envelope without TLS is accepted, registered, and an alarm (decisions 21).
  options.telemetry.event('alarm', {
    name: 'envelope-without-tls',
    identificativo: envelope.certified.identificativo,
    reason: arrival.peer,
  });
}

async function take(
  options: EnvelopeOptions,
  arrival: Arrival,
  { digest, header }: Extract<Inspection, { kind: 'envelope' }>,
  envelope: EnvelopeInHand,
  { fresh, anomalies, infection }: Sorted,
  changes: ChangeSet,
): Promise<Taken> {
  if (fresh.length === 0) return NOTHING;
  if (infection === null) {
    const { reception, deliveries } = await takeCharge(options, envelope, digest, fresh, changes);
    const delivered = deliveries.filter((delivery) => delivery.delivered).length;
    const expect = deliveries.flatMap(({ expect }) => (expect === undefined ? [] : [expect]));
    return { reception, expect, delivered, refused: deliveries.length - delivered };
  }
  const { reception, quarantined } = await takeInfected(options, envelope, digest, fresh, infection, changes);
  // Those it is not for get nothing of it (decisions 6), and the session hears of those it is for.
  for (const { recipient, reason } of anomalies) {
    const detail = {
      motivo: reason,
      virus: infection.virus,
      antivirus: infection.engine,
      quarantena: quarantined,
    };
    const stray = { ...arrival, recipients: [recipient] };
    changes.event(uncertifiedEvent(options, stray, header, envelope.time, 'rifiuto', detail));
  }
  return { ...NOTHING, reception, refused: fresh.length };
}

/** Those it is not for get it as an anomaly (decisions 6, 7). */
async function wrapStrays(
  options: EnvelopeOptions,
  arrival: Arrival,
  { header, origin }: { readonly header: Header; readonly origin: { readonly providerName: string } },
  time: LegalTime,
  { strays, alone }: { readonly strays: readonly Stray[]; readonly alone: boolean },
): Promise<void> {
  const gestore = origin.providerName;
  const outcomes = await tryWrapEach(options, arrival, header, time, { strays, gestore });
  if (alone && !outcomes.includes('delivered')) throw refusalOf(outcomes);
}
