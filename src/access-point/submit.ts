import type { Antivirus, Quarantine, ScanVerdict } from '../antivirus/index.js';
import { type DkimSign, issueToOwnUser } from '../delivery-point/index.js';
import type { Directory } from '../directory/index.js';
import type { Issuer, Sealed } from '../issuing/index.js';
import { type Header, readHeader } from '../mime/index.js';
import {
  type Certified,
  certifiedRecipients,
  composePostacert,
  domainOf,
  type FormalLimits,
  formalFaults,
  type LegalTime,
  legalTime,
  type NoticeDelays,
  noticeDeadlines,
  originalMessageId,
  type Recipient,
  receiptType,
  replyToOf,
} from '../pec/index.js';
import { ChangeSet, type NewTracking, type Store } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Submission, Submitted } from './submission.js';

export interface AccessPointOptions {
  readonly store: Store;
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly antivirus: Antivirus;
  readonly quarantine: Quarantine;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly limits: FormalLimits;
  readonly timers: NoticeDelays;
  /** Milliseconds after which an envelope leaves the queue (decisions 10). */
  readonly envelopeGiveUp: number;
  /** Signs with the mail domain's DKIM key what goes to ordinary recipients, where there is one (decisions 16). */
  readonly dkim?: DkimSign | undefined;
}

/** What is known of the message once its header has been read. */
interface Reading {
  /** Of the monotonic clock, for the metrics only: the instant is cut to the second. */
  readonly begun: number;
  readonly time: LegalTime;
  readonly header: Header;
  readonly certified: Certified;
}

/** Why a message is not accepted. */
type Cause =
  | { readonly kind: 'faults'; readonly faults: readonly string[] }
  | { readonly kind: 'virus'; readonly virus: string; readonly engine: string };

/**
 * The access point (RFC 6109 2.2.1, 3.1). Invariant: when `submit` resolves, exactly one accettazione or
 * non-accettazione is durable, and with an accettazione the envelope is durable in the queue. When it throws, nothing
 * is: a crash at any line before the commit leaves at most an unreferenced blob.
 */
export class AccessPoint {
  constructor(private readonly options: AccessPointOptions) {}

  /** @throws StoreUnavailable, AntivirusUnavailable or a signing error: the session answers a temporary error. */
  async submit(submission: Submission): Promise<Submitted> {
    const { options } = this;
    await options.directory.current();
    const header = await readHeader(submission.message);
    const reading = this.read(submission, header);
    const faults = formalFaults({
      header,
      mailFrom: submission.mailFrom,
      recipients: submission.recipients,
      size: submission.message.length,
      longestLine: submission.longestLine,
      limits: options.limits,
    });
    if (faults.length > 0) return this.refuse(submission, reading, { kind: 'faults', faults });
    const verdict = await options.antivirus.scan(submission.message);
    const { virus, engine } = verdict;
    if (virus !== null) return this.refuse(submission, reading, { kind: 'virus', virus, engine });
    return this.accept(submission, reading, verdict);
  }

  /** One clock reading serves Date, daticert, text, signingTime and register (RFC 6109 4.1). */
  private read(submission: Submission, header: Header): Reading {
    const time = legalTime(this.options.clock());
    const recipients = certifiedRecipients(
      submission.recipients,
      (domain) => this.options.directory.byDomain(domain) !== undefined,
    );
    const msgid = originalMessageId(header);
    return {
      begun: performance.now(),
      time,
      header,
      certified: {
        identificativo: this.options.issuer.newId(time),
        ...(msgid === undefined ? {} : { msgid }),
        sender: submission.mailFrom,
        recipients,
        replyTo: replyToOf(header) ?? submission.mailFrom,
        subject: header.text('Subject') ?? '',
      },
    };
  }

  private async refuse(submission: Submission, reading: Reading, cause: Cause): Promise<Submitted> {
    const { store, issuer } = this.options;
    const { time, certified } = reading;
    const changes = new ChangeSet((rope) => store.pack(rope));
    const notice = { time, mailboxId: submission.mailbox.id, to: submission.mailFrom, certified };
    if (cause.kind === 'virus') {
      const { virus, engine } = cause;
      const quarantena = await this.setApart(submission, reading, cause, changes);
      const detail = { virus, antivirus: engine, quarantena };
      const notification = { kind: 'non-accettazione', virus } as const;
      await issueToOwnUser(issuer, { ...notice, notification, detail }, changes);
    } else {
      const detail = { motivo: cause.faults.join('; ') };
      const notification = { kind: 'non-accettazione', reasons: cause.faults } as const;
      await issueToOwnUser(issuer, { ...notice, notification, detail }, changes);
    }
    await store.write('commitRefusal', changes.changes());
    this.options.telemetry.event('submission.refused', {
      identificativo: certified.identificativo,
      mailbox: submission.mailbox.address,
      ...(cause.kind === 'virus' ? { reasons: ['virus'], virus: cause.virus } : { reasons: cause.faults }),
    });
    return { identificativo: certified.identificativo, outcome: 'non-accettazione' };
  }

  /** RFC 6109 2.2.4: whoever detects a virus keeps the message. @returns the entry of the quarantine */
  private setApart(
    submission: Submission,
    { time, certified }: Reading,
    { virus, engine }: Extract<Cause, { kind: 'virus' }>,
    changes: ChangeSet,
  ): Promise<string> {
    const about = {
      at: time.epochMs,
      kind: 'submission',
      identificativo: certified.identificativo,
      gestore: this.options.issuer.provider.name,
      sender: certified.sender,
      recipients: certified.recipients.map(({ address }) => address),
      subject: certified.subject,
      virus,
      engine,
    } as const;
    return this.options.quarantine.add(submission.message, about, changes);
  }

  private async accept(submission: Submission, reading: Reading, verdict: ScanVerdict): Promise<Submitted> {
    const { store, issuer } = this.options;
    const { time, certified } = reading;
    const changes = new ChangeSet((rope) => store.pack(rope));
    const [envelope] = await Promise.all([
      this.seal(submission, reading),
      issueToOwnUser(
        issuer,
        {
          time,
          mailboxId: submission.mailbox.id,
          to: submission.mailFrom,
          certified,
          notification: { kind: 'accettazione' },
          detail: { antivirus: verdict.engine },
        },
        changes,
      ),
    ]);
    const content = await changes.content(envelope.rope);
    for (const { address, kind } of certified.recipients) {
      changes.enqueue({
        kind: kind === 'certificato' ? 'envelope' : 'ordinary',
        identificativo: certified.identificativo,
        sender: certified.sender,
        subject: certified.subject,
        origin: issuer.provider.name,
        content,
        size: envelope.rope.length,
        // Routing data of the envelope stay unaltered (RFC 6109 3.1.5).
        mailFrom: submission.mailFrom,
        recipient: address,
        destination: domainOf(address),
        eightBit: submission.eightBit,
        nextAttempt: time.epochMs,
        giveUpAt: time.epochMs + this.options.envelopeGiveUp,
      });
    }
    changes.event({
      identificativo: certified.identificativo,
      at: time.epochMs,
      event: 'posta-certificata',
      sender: certified.sender,
      recipients: certified.recipients.map(({ address }) => address),
      subject: certified.subject,
      related: [certified.identificativo],
      gestore: issuer.provider.name,
      detail: certified.msgid === undefined ? {} : { msgid: certified.msgid },
    });
    await store.write('commitSubmission', {
      ...changes.changes(),
      outgoing: {
        identificativo: certified.identificativo,
        mailboxId: submission.mailbox.id,
        sender: certified.sender,
        msgid: certified.msgid ?? '',
        subject: certified.subject,
        replyTo: certified.replyTo,
        acceptedAt: time.epochMs,
        content,
        recipients: certified.recipients.map((recipient) => this.tracking(recipient, time)),
      },
    });
    const certifiedCount = certified.recipients.filter(({ kind }) => kind === 'certificato').length;
    this.options.telemetry.event('submission.accepted', {
      identificativo: certified.identificativo,
      mailbox: submission.mailbox.address,
      certified: certifiedCount,
      external: certified.recipients.length - certifiedCount,
      size: submission.message.length,
      ms: performance.now() - reading.begun,
    });
    return { identificativo: certified.identificativo, outcome: 'accettazione' };
  }

  private async seal(submission: Submission, { time, header, certified }: Reading): Promise<Sealed> {
    const received = submission.received(time.date);
    const postacert = composePostacert({
      original: submission.message,
      header,
      identificativo: certified.identificativo,
      received,
    });
    const sealed = await this.options.issuer.envelope({
      time,
      certified,
      receiptType: receiptType(header),
      originalHeader: header,
      postacert: postacert.rope,
      eightBit: submission.eightBit,
      mailFrom: submission.mailFrom,
      received,
    });
    const { dkim } = this.options;
    if (dkim === undefined || certified.recipients.every(({ kind }) => kind === 'certificato')) return sealed;
    return { ...sealed, rope: await dkim(sealed.rope, time.epochMs) };
  }

  private tracking({ address, kind }: Recipient, time: LegalTime): NewTracking {
    return {
      recipient: address,
      kind,
      gestore: this.options.directory.byDomain(domainOf(address))?.providerName ?? '',
      ...noticeDeadlines(kind, time.epochMs, this.options.timers),
    };
  }
}
