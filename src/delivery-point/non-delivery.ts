import type { Issuer } from '../issuing/index.js';
import { readHeader } from '../mime/index.js';
import { ANOMALY_KEYWORD, type Certified, type DeliveryFailure, type LegalTime } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { ChangeSet, Outgoing } from '../storage/index.js';
import { composeDsn, type FailedRecipient } from './dsn.js';
import { issueToOwnUser } from './own-notice.js';

/** An envelope of ours that could not be handed over. */
export interface FailedEnvelope {
  readonly time: LegalTime;
  readonly outgoing: Outgoing;
  /** The envelope as queued; its header goes back in the DSN. */
  readonly envelope: Rope;
  readonly hostname: string;
}

/** errore-consegna signed by the sender's own gestore (RFC 6109 3.3.3, decisions 11), to its user. */
export async function issueNonDelivery(
  issuer: Issuer,
  { time, outgoing }: FailedEnvelope,
  recipient: string,
  failure: DeliveryFailure,
  changes: ChangeSet,
): Promise<void> {
  await issueToOwnUser(
    issuer,
    {
      time,
      mailboxId: outgoing.mailboxId,
      to: outgoing.sender,
      certified: certifiedOf(outgoing),
      notification: { kind: 'errore-consegna', recipient, ...failure },
      detail: { errore: failure.reason },
    },
    changes,
  );
}

/** An ordinary recipient has no errore-consegna: its sender gets a DSN (RFC 3464) as an anomaly (decisions 22). */
export async function depositDsn(
  issuer: Issuer,
  failed: FailedEnvelope,
  recipients: readonly FailedRecipient[],
  changes: ChangeSet,
): Promise<void> {
  const { time, outgoing } = failed;
  const dsn = composeDsn({
    time,
    hostname: failed.hostname,
    mailDomain: issuer.provider.mailDomain,
    messageId: issuer.newId(time),
    to: outgoing.sender,
    recipients,
    envelopeHeader: (await readHeader(failed.envelope)).bytes,
  });
  const sealed = await issuer.anomaly({
    time,
    mailFrom: '',
    recipients: [outgoing.sender],
    receivedHeader: await readHeader(dsn),
    original: dsn,
    eightBit: false,
    reason: 'avviso di mancata consegna a destinatari di posta ordinaria',
  });
  const rope = Rope.of('Return-Path: <>\r\n', sealed.rope);
  const content = await changes.content(rope);
  changes.deposit({
    mailboxId: outgoing.mailboxId,
    folder: 'INBOX',
    content,
    size: rope.length,
    internalDate: time.epochMs,
    flags: [ANOMALY_KEYWORD],
    withinQuota: false,
  });
  changes.event({
    identificativo: outgoing.identificativo,
    at: time.epochMs,
    event: 'dsn',
    sender: outgoing.sender,
    recipients: recipients.map(({ address }) => address),
    subject: outgoing.subject,
    related: [sealed.messageId],
    gestore: issuer.provider.name,
    detail: { risposta: recipients.map(({ diagnostic }) => diagnostic).join('; ') },
  });
}

/** What an outgoing message's row says of it. */
export function certifiedOf(outgoing: Outgoing): Certified {
  return {
    identificativo: outgoing.identificativo,
    ...(outgoing.msgid === '' ? {} : { msgid: outgoing.msgid }),
    sender: outgoing.sender,
    recipients: outgoing.tracking.map(({ recipient, kind }) => ({ address: recipient, kind })),
    replyTo: outgoing.replyTo,
    subject: outgoing.subject,
  };
}
