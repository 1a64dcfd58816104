import type { Issuer, Sealed } from '../issuing/index.js';
import {
  briefForm,
  ENVELOPE_KEYWORD,
  localFailure,
  type Notification,
  type ReceiptType,
  receiptForms,
} from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { ChangeSet, Mailbox, MailboxState, RegisterEvent } from '../storage/index.js';
import { type Decision, decide } from './decision.js';
import type { EnvelopeInHand } from './envelope-in-hand.js';
import { enqueueNotification, type NotificationPost } from './post.js';
import { type DkimSign, enqueueWatchedNotices } from './watched-notice.js';

/** One recipient answered for: its final outcome stands among the changes (decisions 2). */
export interface Delivery {
  readonly recipient: string;
  readonly delivered: boolean;
  /** Index in the changes' receipts of the avvenuta-consegna or errore-consegna. */
  readonly finalOutcome: number;
  /** What the decision rested on; the commit checks it again. */
  readonly expect?: { readonly mailboxId: number; readonly state: MailboxState };
}

export interface DeliveryPointOptions {
  readonly issuer: Issuer;
  readonly findMailbox: (address: string) => Promise<Mailbox | undefined>;
  readonly post: NotificationPost;
  /** Ordinary addresses that are told when this sender writes to this mailbox. */
  readonly notifiedOf: (mailboxId: number, sender: string) => Promise<readonly string[]>;
  readonly dkim?: DkimSign | undefined;
}

/** The point that puts a certified message in the mailbox and says so (RFC 6109 3.3). */
export class DeliveryPoint {
  constructor(private readonly options: DeliveryPointOptions) {}

  /**
   * Delivers a correct envelope to each recipient and issues each one's delivery or non-delivery notification
   * (RFC 6109 3.3.2, 3.3.3). Nothing is durable before the caller commits `changes`.
   */
  async deliver(
    envelope: EnvelopeInHand,
    recipients: readonly string[],
    changes: ChangeSet,
  ): Promise<Delivery[]> {
    // Return-Path at final delivery; nothing else changes in the delivered bytes (decisions 16).
    const stored = Rope.of(`Return-Path: <${envelope.mailFrom}>\r\n`, envelope.message);
    const decided = await this.decideAll(recipients, stored.length);
    const { postacert, postacertHeader, header, receiptType } = envelope;
    const forms: Forms = {
      of: receiptForms(postacertHeader, header, receiptType),
      brief: once(() => briefForm(postacert)),
    };
    const outcomes = await Promise.all(
      decided.map(async ({ recipient, decision }) => ({
        recipient,
        decision,
        sealed: await this.outcomeNotice(envelope, recipient, decision, forms),
      })),
    );
    const content = outcomes.some(({ decision }) => decision.kind === 'deliver')
      ? await changes.content(stored)
      : undefined;
    const deliveries: Delivery[] = [];
    for (const { recipient, decision, sealed } of outcomes) {
      if (decision.kind === 'deliver' && content !== undefined) {
        changes.deposit({
          mailboxId: decision.mailbox.id,
          folder: 'INBOX',
          content,
          size: stored.length,
          internalDate: envelope.time.epochMs,
          flags: [ENVELOPE_KEYWORD],
          withinQuota: true,
        });
      }
      deliveries.push(await this.record(envelope, recipient, decision, sealed, changes));
    }
    return deliveries;
  }

  /** Two recipients may lead to one mailbox: the second finds there what the first is about to put in. */
  private async decideAll(
    recipients: readonly string[],
    size: number,
  ): Promise<{ readonly recipient: string; readonly decision: Decision }[]> {
    const found = await Promise.all(recipients.map((recipient) => this.options.findMailbox(recipient)));
    const coming = new Map<number, number>();
    return recipients.map((recipient, index) => {
      const mailbox = found[index];
      const earlier = mailbox === undefined ? 0 : (coming.get(mailbox.id) ?? 0);
      const decision = decide(mailbox, size, earlier);
      if (decision.kind === 'deliver') coming.set(decision.mailbox.id, earlier + size);
      return { recipient, decision };
    });
  }

  private async outcomeNotice(
    envelope: EnvelopeInHand,
    recipient: string,
    decision: Decision,
    forms: Forms,
  ): Promise<Sealed> {
    const { time, certified } = envelope;
    const notification: Notification =
      decision.kind === 'deliver'
        ? await consegna(envelope, recipient, forms)
        : {
            kind: 'errore-consegna',
            recipient,
            ...localFailure(decision.cause, this.options.issuer.provider.name),
          };
    return this.options.issuer.notification({ time, to: certified.sender, certified, notification });
  }

  private async record(
    envelope: EnvelopeInHand,
    recipient: string,
    decision: Decision,
    sealed: Sealed,
    changes: ChangeSet,
  ): Promise<Delivery> {
    const delivered = decision.kind === 'deliver';
    const kind = delivered ? 'avvenuta-consegna' : 'errore-consegna';
    const content = await changes.content(sealed.rope);
    const finalOutcome = changes.receipt({
      direction: 'issued',
      origin: envelope.origin,
      identificativo: envelope.certified.identificativo,
      kind,
      recipient,
      step: '',
      messageId: sealed.messageId,
      content,
      at: envelope.time.epochMs,
    });
    enqueueNotification(changes, this.options.post, {
      content,
      size: sealed.rope.length,
      certified: envelope.certified,
      origin: envelope.origin,
      to: envelope.certified.sender,
      at: envelope.time.epochMs,
    });
    changes.event(
      envelopeEvent(
        envelope,
        kind,
        [recipient],
        [sealed.messageId],
        delivered ? {} : { causa: decision.cause },
      ),
    );
    if (decision.kind !== 'deliver') return { recipient, delivered, finalOutcome };
    const notified = await this.options.notifiedOf(decision.mailbox.id, envelope.certified.sender);
    await enqueueWatchedNotices(this.options, envelope, recipient, notified, changes);
    return {
      recipient,
      delivered,
      finalOutcome,
      expect: { mailboxId: decision.mailbox.id, state: decision.mailbox.state },
    };
  }
}

/** What the delivery notifications of one envelope have in common. */
interface Forms {
  /** RFC 6109 3.3.2: the form follows what the sender asked for and whether the recipient is primary. */
  readonly of: (recipient: string) => ReceiptType;
  readonly brief: () => Promise<Rope>;
}

async function consegna(
  envelope: EnvelopeInHand,
  recipient: string,
  { of, brief }: Forms,
): Promise<Notification> {
  const form = of(recipient);
  const head = { kind: 'avvenuta-consegna', recipient, receipt: envelope.receiptType, form } as const;
  if (form === 'sintetica') return head;
  return {
    ...head,
    original: form === 'breve' ? await brief() : envelope.postacert,
    eightBit: envelope.eightBit,
  };
}

/** An entry of the register about an envelope received (RFC 6109 2.3). */
export function envelopeEvent(
  envelope: EnvelopeInHand,
  event: RegisterEvent['event'],
  recipients: readonly string[],
  related: readonly string[],
  detail: Readonly<Record<string, string>> = {},
): RegisterEvent {
  const { certified } = envelope;
  return {
    identificativo: certified.identificativo,
    at: envelope.time.epochMs,
    event,
    sender: certified.sender,
    recipients,
    subject: certified.subject,
    related,
    gestore: envelope.origin,
    detail: certified.msgid === undefined ? detail : { ...detail, msgid: certified.msgid },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
