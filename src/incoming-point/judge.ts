import type { Directory, ProviderRecord } from '../directory/index.js';
import type { Issuer } from '../issuing/index.js';
import {
  type Daticert,
  domainOf,
  judgeNotification,
  type LegalTime,
  sameAddress,
  trackingReasons,
} from '../pec/index.js';
import type { Outgoing, RecipientFact, Store } from '../storage/index.js';

export interface JudgeOptions {
  readonly store: Store;
  readonly issuer: Issuer;
  readonly directory: Directory;
}

/** What a notification means here, before anything is written. */
export interface Judged {
  readonly outgoing: Outgoing | undefined;
  /** What closes, or moves, the tracking. */
  readonly facts: readonly RecipientFact[];
  /** Why the tracking is left alone; null when the notification counts or repeats what is known. */
  readonly anomaly: string | null;
  /** What an operator must look at. */
  readonly alarm: string | null;
  readonly notes: Readonly<Record<string, string>>;
}

/** Presa in carico and rilevazione virus speak to the gestore, everything else to its user (decisions 23). */
export const isForService = (daticert: Daticert): boolean =>
  daticert.tipo === 'presa-in-carico' || daticert.tipo === 'rilevazione-virus';

/** Whose receipt counts (decisions 4), for every recipient the notification speaks of. */
export async function judge(
  options: JudgeOptions,
  { origin, daticert }: { readonly origin: ProviderRecord; readonly daticert: Daticert },
  time: LegalTime,
): Promise<Judged> {
  const { identificativo } = daticert;
  const outgoing = await options.store.read('findOutgoing', { identificativo });
  const about = daticert.tipo === 'presa-in-carico' ? daticert.ricezione : [daticert.consegna ?? ''];
  const facts: RecipientFact[] = [];
  const notes: Record<string, string> = {};
  let anomaly: string | null = null;
  let alarm: string | null = null;
  for (const recipient of about) {
    const judgement = judgeNotification(
      { ...daticert, gestore: origin.providerName },
      recipient,
      time.epochMs,
      {
        ourselves: options.issuer.provider.name,
        outgoing,
        managedNowBy: options.directory.byDomain(domainOf(recipient))?.providerName,
      },
    );
    if (judgement.verdict === 'counts') {
      const { recipient: tracked } = judgement.tracked;
      facts.push({ identificativo, recipient: tracked, fact: judgement.fact, at: time.epochMs });
      if (judgement.inconsistency !== undefined) notes.incongruenza = judgement.inconsistency;
    } else if (judgement.verdict === 'anomaly') anomaly = judgement.reason;
    // Ours never leave the house: one that comes in is a copy of what its owner has (decisions 4).
    else if (judgement.verdict === 'untracked') anomaly = copyOfOurs(daticert.tipo);
    else if (judgement.verdict === 'alarm') alarm = judgement.reason;
    else if (!isForService(daticert) && (await closedByUs(options, identificativo, recipient))) {
      anomaly = trackingReasons.alreadyClosed(recipient);
    }
  }
  return { outgoing, facts, anomaly, alarm, notes };
}

const copyOfOurs = (tipo: string): string =>
  `una copia di un messaggio di tipo ${tipo} già emesso da questo gestore`;

/**
 * Whether the outcome the user already has is ours as the sender's gestore: then a peer's is a second one (decisions 2).
 * One of ours as the recipient's gestore has come in here too, and this is its repetition (decisions 7).
 */
async function closedByUs(
  options: JudgeOptions,
  identificativo: string,
  recipient: string,
): Promise<boolean> {
  const kept = await options.store.read('findReceipts', { identificativo });
  const told = kept.filter(
    (receipt) => receipt.kind === 'errore-consegna' && sameAddress(receipt.recipient, recipient),
  );
  return told.length > 0 && told.every(({ direction }) => direction === 'issued');
}
