import type { LegalTime } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import { ChangeSet } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import { refusals } from './refusals.js';
import { registerInfected, scan } from './scan.js';
import type { OrdinaryMail } from './take-by-rule.js';
import { deliveryKey, uncertifiedEvent } from './uncertified.js';
import type { WrapOptions } from './wrap.js';

/** Octets of a bounce to the signing address that are kept. */
const BOUNCE_KEPT = 64 * 1024;

/** Bounces to the signing address are registered and kept in the service mailbox, never answered (decisions 22, 23). */
export async function keepBounce(
  options: WrapOptions & { readonly serviceMailbox: string },
  arrival: Arrival,
  { header, reason }: OrdinaryMail,
  time: LegalTime,
): Promise<void> {
  const service = await options.findMailbox(options.serviceMailbox);
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  if (service !== undefined && service.used < service.quota) {
    const infection = await scan(options, arrival.message);
    if (infection !== null) {
      await registerInfected(options, arrival, header, time, infection);
      throw refusals.virus();
    }
    // Anybody can send one: what is kept of it is enough to know it by.
    const rope = Rope.of('Return-Path: <>\r\n', await wholeLines(arrival.message, BOUNCE_KEPT));
    changes.deposit({
      mailboxId: service.id,
      folder: 'INBOX',
      content: await changes.content(rope),
      size: rope.length,
      internalDate: time.epochMs,
      flags: [],
      withinQuota: false,
    });
  }
  changes.event(uncertifiedEvent(options, arrival, header, time, 'ricezione-ordinaria', { motivo: reason }));
  await options.store.write('commitNotification', {
    ...changes.changes(),
    facts: [],
    digest: await deliveryKey(arrival),
  });
}

/** The lines that fit: one cut in two could end in a bare CR, which nobody may be given (architecture 4). */
async function wholeLines(message: Rope, limit: number): Promise<Rope> {
  if (message.length <= limit) return message;
  const head = await message.slice(0, limit).bytes();
  return message.slice(0, head.lastIndexOf('\r\n') + 2);
}
