import type { Issuer } from '../issuing/index.js';
import type { Certified, DeliveryFailure, LegalTime } from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import type { ChangeSet, Outgoing } from '../storage/index.js';
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
