import type { Issuer } from '../issuing/index.js';
import { readHeader } from '../mime/index.js';
import { type DeliveryFailure, legalTime, localFailure, sameAddress, smtpFailure } from '../pec/index.js';
import type { ChangeSet, QueueRow, RecipientFact, Store } from '../storage/index.js';
import type { FailedRecipient } from './dsn.js';
import { type FailedEnvelope, issueNonDelivery } from './non-delivery.js';
import { depositDsn, depositForwardDsn } from './own-dsn.js';

/** Why a recipient cannot be reached, for good. */
export type RelayFailure =
  | { readonly kind: 'refused'; readonly enhanced?: string | undefined; readonly text: string }
  /** The DNS says there is no such domain, or that it takes no mail. */
  | { readonly kind: 'no-domain' | 'no-mail'; readonly text: string }
  | { readonly kind: 'expired'; readonly text: string };

export interface FailedRow {
  readonly row: QueueRow;
  readonly failure: RelayFailure;
}

export interface FailedRelayOptions {
  readonly store: Pick<Store, 'read' | 'open'>;
  readonly issuer: Issuer;
  readonly hostname: string;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/**
 * What is told when rows of one transaction fail for good: errore-consegna for a certified recipient, a DSN for ordinary
 * ones (decisions 11, 22), to the sender; a DSN for what a mailbox passes on, to its holder. It is composed here; the relay commits it with the settlement.
 * @returns what closes the tracking
 */
export async function noticesOfFailure(
  options: FailedRelayOptions,
  failed: readonly FailedRow[],
  changes: ChangeSet,
): Promise<RecipientFact[]> {
  const { store, issuer, hostname } = options;
  const [first, ...others] = failed;
  if (first === undefined) return [];
  if (first.row.kind === 'forward') {
    await tellHolder(options, [first, ...others], changes);
    return [];
  }
  const { identificativo, contentId } = first.row;
  const outgoing = await store.read('findOutgoing', { identificativo });
  if (outgoing === undefined) return [];
  const time = legalTime(options.clock());
  const envelope: FailedEnvelope = { time, outgoing, envelope: await store.open(contentId), hostname };
  const facts: RecipientFact[] = [];
  for (const { row, failure } of failed.filter(({ row: { kind } }) => kind === 'envelope')) {
    const tracked = outgoing.tracking.find(({ recipient }) => sameAddress(recipient, row.recipient));
    // One final outcome (decisions 2): a receipt that came in by another way stands.
    if (tracked === undefined || tracked.outcome !== null) continue;
    await issueNonDelivery(issuer, envelope, row.recipient, wording(failure, issuer.provider.name), changes);
    facts.push({ identificativo, recipient: row.recipient, fact: 'errore-consegna', at: time.epochMs });
  }
  const ordinary = failed.filter(({ row }) => row.kind === 'ordinary');
  if (ordinary.length > 0) {
    await depositDsn(issuer, envelope, ordinary.map(failedRecipient), changes);
  }
  return facts;
}

/** The message says itself which mailbox passed it on: each has a content of its own. */
async function tellHolder(
  { store, issuer, hostname, clock }: FailedRelayOptions,
  failed: readonly [FailedRow, ...FailedRow[]],
  changes: ChangeSet,
): Promise<void> {
  const [{ row }] = failed;
  const message = await store.open(row.contentId);
  const address = (await readHeader(message)).raw('Delivered-To') ?? '';
  const mailbox = await store.read('findMailbox', { address });
  if (mailbox === undefined) return;
  const failure = {
    time: legalTime(clock()),
    hostname,
    message,
    recipients: failed.map(failedRecipient),
    sender: row.sender,
    subject: row.subject,
  };
  await depositForwardDsn(issuer, mailbox, failure, changes);
}

const failedRecipient = ({ row, failure }: FailedRow): FailedRecipient => ({
  address: row.recipient,
  status: statusOf(failure),
  diagnostic: failure.text,
});

const LOCAL_CAUSE = {
  'no-domain': 'absent-domain',
  'no-mail': 'no-mail-domain',
  expired: 'unreachable',
} as const;

function wording(failure: RelayFailure, gestore: string): DeliveryFailure {
  if (failure.kind === 'refused') return smtpFailure(failure, gestore);
  return localFailure(LOCAL_CAUSE[failure.kind], gestore);
}

/** RFC 3463 status for a DSN. */
function statusOf(failure: RelayFailure): string {
  if (failure.kind !== 'refused')
    return { 'no-domain': '5.1.2', 'no-mail': '5.1.10', expired: '5.4.7' }[failure.kind];
  return failure.enhanced !== undefined && /^5\.\d{1,3}\.\d{1,3}$/.test(failure.enhanced)
    ? failure.enhanced
    : '5.0.0';
}
