import { encodeSubject } from '../mime/index.js';
import { composeEntity } from './body.js';
import { certifiedData } from './certified-data.js';
import { buildDaticert } from './daticert-write.js';
import { line, oneLine } from './header-lines.js';
import { boundariesOf } from './identificativo.js';
import { notificationWording, timeoutReason } from './texts.js';
import {
  type Certified,
  type Composed,
  type Daticert,
  type LegalTime,
  type Notification,
  type Provider,
  serviceAddress,
} from './types.js';

export interface NotificationInput {
  readonly provider: Provider;
  /** The one instant of the transaction (RFC 6109 4.1). */
  readonly time: LegalTime;
  /** Made by `identificativo`, without `<>`, and stored before sending. */
  readonly messageId: string;
  /** The original sender, or the service mailbox of the sender's gestore. */
  readonly to: string;
  readonly certified: Certified;
  readonly notification: Notification;
}

/**
 * A ricevuta or avviso, ready to be signed: header per pec-format 1.1, readable text, daticert.xml and, in a complete
 * or brief delivery notification, postacert.eml.
 * @throws RangeError without a recipient, or when a complete or brief delivery notification lacks the original
 */
export function composeNotification(input: NotificationInput): Composed {
  const { provider, time, messageId, certified, notification } = input;
  const boundaries = boundariesOf(messageId);
  const wording = notificationWording(time, certified, notification);
  const { entity, eightBit } = composeEntity({
    boundaries,
    wording,
    daticert: buildDaticert(notificationDaticert(provider, time, certified, notification)),
    original: embedded(notification),
  });
  const header =
    `Subject: ${encodeSubject(wording.prefix, oneLine(certified.subject))}\r\n` +
    // Decisions 15: none when the client gave no Message-ID.
    (certified.msgid === undefined ? '' : line('X-Riferimento-Message-ID', certified.msgid)) +
    `Date: ${time.date}\r\n` +
    line('Message-ID', `<${messageId}>`) +
    line('To', input.to) +
    `X-Ricevuta: ${notification.kind}\r\n` +
    markers(certified, notification) +
    line('From', serviceAddress(provider.mailDomain)) +
    (eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : '');
  return { header, entity, boundary: boundaries.signed };
}

/** RFC 6109 3.1.3, 3.2.3 and 3.2.4. */
function markers(certified: Certified, notification: Notification): string {
  if (notification.kind === 'rilevazione-virus') return line('X-Mittente', certified.sender);
  return 'virus' in notification ? 'X-VerificaSicurezza: errore\r\n' : '';
}

/** Decisions 28 and 29: the original travels in complete and brief delivery notifications, nowhere else. */
function embedded(notification: Notification) {
  if (notification.kind !== 'avvenuta-consegna' || notification.form === 'sintetica') return undefined;
  if (notification.original === undefined)
    throw new RangeError(`the ${notification.form} form wants the original`);
  return { rope: notification.original, eightBit: notification.eightBit };
}

/** The certification data of a notification: which optional elements appear is pec-format 1.4. */
export function notificationDaticert(
  provider: Provider,
  time: LegalTime,
  certified: Certified,
  notification: Notification,
): Daticert {
  return {
    errore: 'nessuno',
    ...certifiedData(provider, time, certified),
    tipo: notification.kind,
    ...outcome(provider, notification),
  };
}

function outcome(provider: Provider, notification: Notification): Partial<Daticert> {
  if ('virus' in notification) {
    // Decisions 12: we say `virus`, in every kind.
    const consegna = 'recipient' in notification ? { consegna: notification.recipient } : {};
    return { errore: 'virus', erroreEsteso: notification.virus, ...consegna };
  }
  switch (notification.kind) {
    case 'accettazione':
      return {};
    case 'non-accettazione':
      return { errore: 'altro', erroreEsteso: notification.reasons.join('; ') };
    case 'presa-in-carico':
      return { ricezione: notification.recipients };
    case 'avvenuta-consegna':
      // Decisions 28: the kind that was asked for, whatever this recipient gets.
      return { ricevuta: notification.receipt, consegna: notification.recipient };
    case 'errore-consegna':
      return {
        errore: notification.errore,
        consegna: notification.recipient,
        erroreEsteso: notification.reason,
      };
    case 'preavviso-errore-consegna':
      return {
        errore: 'altro',
        consegna: notification.recipient,
        erroreEsteso: timeoutReason(notification.step, provider.name),
      };
  }
}
