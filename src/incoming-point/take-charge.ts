import {
  type Delivery,
  type DeliveryPoint,
  type EnvelopeInHand,
  enqueueNotification,
  envelopeEvent,
  type NotificationPost,
} from '../delivery-point/index.js';
import type { Directory } from '../directory/index.js';
import type { Issuer } from '../issuing/index.js';
import { domainOf } from '../pec/index.js';
import type { ChangeSet, NewReception, ReceptionRow } from '../storage/index.js';

export interface ChargeOptions {
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly deliveryPoint: DeliveryPoint;
  readonly post: NotificationPost;
}

/** Fresh recipients: one presa in carico for the transaction, then each one's delivery (RFC 6109 3.2.1, 3.3). */
export async function takeCharge(
  options: ChargeOptions,
  envelope: EnvelopeInHand,
  digest: string,
  recipients: readonly string[],
  changes: ChangeSet,
): Promise<{ readonly reception: NewReception[]; readonly deliveries: Delivery[] }> {
  const presaInCarico = await issuePresaInCarico(options, envelope, recipients, changes);
  const deliveries = await options.deliveryPoint.deliver(envelope, recipients, changes);
  const reception = deliveries.map(({ recipient, finalOutcome }) => ({
    origin: envelope.origin,
    identificativo: envelope.certified.identificativo,
    recipient,
    digest,
    at: envelope.time.epochMs,
    presaInCarico,
    finalOutcome,
  }));
  return { reception, deliveries };
}

async function issuePresaInCarico(
  { issuer, directory, post }: ChargeOptions,
  envelope: EnvelopeInHand,
  recipients: readonly string[],
  changes: ChangeSet,
): Promise<number> {
  const { time, certified, origin } = envelope;
  const to = receiptBox(directory, certified.sender);
  const sealed = await issuer.notification({
    time,
    to,
    certified,
    notification: { kind: 'presa-in-carico', recipients },
  });
  const content = await changes.content(sealed.rope);
  enqueueNotification(changes, post, {
    content,
    size: sealed.rope.length,
    certified,
    origin,
    to,
    at: time.epochMs,
  });
  changes.event(envelopeEvent(envelope, 'presa-in-carico', recipients, [sealed.messageId]));
  return changes.receipt({
    direction: 'issued',
    origin,
    identificativo: certified.identificativo,
    kind: 'presa-in-carico',
    recipient: '',
    step: '',
    messageId: sealed.messageId,
    content,
    at: time.epochMs,
  });
}

/** Repeated recipients: the same stored receipts go out again, each presa in carico once (decisions 7). */
export function repeatReceipts(
  { directory, post }: ChargeOptions,
  envelope: EnvelopeInHand,
  rows: readonly ReceptionRow[],
  changes: ChangeSet,
): void {
  const at = envelope.time.epochMs;
  const { certified, origin } = envelope;
  const prese = new Map(rows.map(({ presaInCarico }) => [presaInCarico.id, presaInCarico]));
  for (const { contentId, size } of prese.values()) {
    const to = receiptBox(directory, certified.sender);
    enqueueNotification(changes, post, { content: { id: contentId }, size, certified, origin, to, at });
  }
  for (const { finalOutcome } of rows) {
    const { contentId, size } = finalOutcome;
    const to = certified.sender;
    enqueueNotification(changes, post, { content: { id: contentId }, size, certified, origin, to, at });
  }
}

/** `mailReceipt` of the record that manages the sender's domain, main or secondary (decisions 23). */
function receiptBox(directory: Directory, sender: string): string {
  const record = directory.byDomain(domainOf(sender));
  if (record === undefined) throw new Error(`no gestore manages the domain of ${sender}`);
  return record.mailReceipt;
}
