/**
 * What becomes of one recipient: accepted, then taken in charge, then delivered, refused or stopped for a virus.
 * Invariant: at most one final outcome (decisions 2).
 */
import { trackingReasons as reasons } from './reasons.js';
import { addressKey } from './recipients.js';
import type { Errore, RecipientKind, Tipo } from './types.js';

/** What a notification, or the relay, tells about a recipient. */
export type TrackedFact =
  | 'presa-in-carico'
  | 'avvenuta-consegna'
  | 'errore-consegna'
  | 'errore-consegna-virus';
export type FinalOutcome = Exclude<TrackedFact, 'presa-in-carico'>;

/** One recipient of one outgoing envelope. Times are epoch milliseconds. */
export interface Tracked {
  readonly recipient: string;
  readonly kind: RecipientKind;
  /** providerName that managed the recipient at acceptance; empty for esterno. */
  readonly gestore: string;
  /** null for esterno. */
  readonly firstNoticeAt: number | null;
  readonly secondNoticeAt: number | null;
  readonly takenAt: number | null;
  readonly outcome: FinalOutcome | null;
  readonly outcomeAt: number | null;
}

/** What a fact does to a recipient. */
export type Advance<T extends Tracked> =
  | { readonly change: 'taken' | 'closed'; readonly tracked: T }
  | { readonly change: 'repeat'; readonly tracked: T }
  /** Another final outcome stands already: the row is left alone. */
  | { readonly change: 'conflict'; readonly tracked: T; readonly reason: string };

/**
 * Applies one genuine fact. A presa in carico that comes after the outcome is recorded too: the steps may overtake
 * each other (RFC 6109 3.5, NOTE). A consegna or errore-consegna later than the 24 h notice closes the tracking: the
 * notice is no outcome (decisions 2).
 */
export function advance<T extends Tracked>(tracked: T, fact: TrackedFact, at: number): Advance<T> {
  if (fact === 'presa-in-carico') {
    if (tracked.takenAt !== null) return { change: 'repeat', tracked };
    return { change: 'taken', tracked: { ...tracked, takenAt: at } };
  }
  if (tracked.outcome === fact) return { change: 'repeat', tracked };
  if (tracked.outcome !== null) {
    return { change: 'conflict', tracked, reason: reasons.alreadyClosed(tracked.recipient) };
  }
  return { change: 'closed', tracked: { ...tracked, outcome: fact, outcomeAt: at } };
}

/** Milliseconds from acceptance (decisions 3; RFC 6109 3.1.6: the second not before 22 h, by 24 h). */
export interface NoticeDelays {
  readonly firstNotice: number;
  readonly secondNotice: number;
}

/** When the silence notices about one recipient fall due; an external recipient has none (decisions 3). */
export function noticeDeadlines(
  kind: RecipientKind,
  acceptedAt: number,
  delays: NoticeDelays,
): Pick<Tracked, 'firstNoticeAt' | 'secondNoticeAt'> {
  if (kind === 'esterno') return { firstNoticeAt: null, secondNoticeAt: null };
  return { firstNoticeAt: acceptedAt + delays.firstNotice, secondNoticeAt: acceptedAt + delays.secondNotice };
}

/** A notification whose signature, origin and form hold. */
export interface GenuineNotification {
  readonly tipo: Tipo;
  readonly errore: Errore;
  readonly identificativo: string;
  /** providerName of the gestore that signed it, from the directory. */
  readonly gestore: string;
}

/** What is known here about the message and the recipient a notification speaks of. */
export interface TrackingContext<T extends Tracked> {
  /** Our own providerName. */
  readonly ourselves: string;
  /** The outgoing envelope with that identificativo; undefined when there is none. */
  readonly outgoing: { readonly tracking: readonly T[] } | undefined;
  /** providerName that manages the recipient's domain at this moment, if one does. */
  readonly managedNowBy: string | undefined;
}

/** What a notification means for the tracking of one recipient (decisions 4). */
export type Judgement<T extends Tracked> =
  | {
      readonly verdict: 'counts';
      readonly fact: TrackedFact;
      readonly tracked: T;
      /** To be registered: the recipient was not certified at acceptance (decisions 3). */
      readonly inconsistency?: string;
    }
  /** The same fact again. */
  | { readonly verdict: 'repeat'; readonly fact: TrackedFact }
  /** Genuine and ours, and no fact of the tracking: accettazione, non-accettazione, preavviso. */
  | { readonly verdict: 'untracked' }
  /** The tracking is left alone. */
  | { readonly verdict: 'anomaly'; readonly reason: string }
  /** A virus notice about nothing of ours: service mailbox and alarm, nothing to a user. */
  | { readonly verdict: 'alarm'; readonly reason: string };

/**
 * Whether a notification about `recipient` (`consegna`, or one of `ricezione`) closes its tracking, repeats what is
 * known, or is an anomaly.
 */
export function judgeNotification<T extends Tracked>(
  notification: GenuineNotification,
  recipient: string,
  at: number,
  context: TrackingContext<T>,
): Judgement<T> {
  const { tipo, gestore } = notification;
  if (tipo === 'posta-certificata') return { verdict: 'anomaly', reason: reasons.notANotification(tipo) };
  const fact = factOf(notification);
  if (gestore !== context.ourselves && isSendersOwn(notification)) {
    return { verdict: 'anomaly', reason: reasons.notOurs(tipo) };
  }
  if (fact === undefined) return { verdict: 'untracked' };
  const stranger = tipo === 'rilevazione-virus' ? 'alarm' : 'anomaly';
  if (context.outgoing === undefined) {
    return { verdict: stranger, reason: reasons.unknownMessage(notification.identificativo) };
  }
  const key = addressKey(recipient);
  const tracked = context.outgoing.tracking.find((row) => addressKey(row.recipient) === key);
  if (tracked === undefined) return { verdict: stranger, reason: reasons.unknownRecipient(recipient) };
  if (!mayTell(notification, tracked, context)) {
    return { verdict: 'anomaly', reason: reasons.notTheManager(gestore, recipient) };
  }
  const step = advance(tracked, fact, at);
  if (step.change === 'repeat') return { verdict: 'repeat', fact };
  if (step.change === 'conflict') return { verdict: 'anomaly', reason: step.reason };
  const counts = { verdict: 'counts', fact, tracked: step.tracked } as const;
  if (tracked.kind === 'certificato') return counts;
  return { ...counts, inconsistency: reasons.externalRecipient(recipient) };
}

function factOf({ tipo, errore }: GenuineNotification): TrackedFact | undefined {
  if (tipo === 'presa-in-carico' || tipo === 'avvenuta-consegna') return tipo;
  if (tipo === 'rilevazione-virus') return 'errore-consegna-virus';
  if (tipo === 'errore-consegna') return errore === 'virus' ? 'errore-consegna-virus' : 'errore-consegna';
  return undefined;
}

/** Decisions 4: these come only from the sender's gestore. */
const isSendersOwn = ({ tipo, errore }: GenuineNotification): boolean =>
  tipo === 'accettazione' ||
  tipo === 'non-accettazione' ||
  tipo === 'preavviso-errore-consegna' ||
  (tipo === 'errore-consegna' && errore === 'virus');

/**
 * Decisions 4: the gestore that manages the recipient, at acceptance or now. Decisions 11 and 12: the sender's gestore
 * signs the errore-consegna of what could not be handed over or carried a virus.
 */
function mayTell<T extends Tracked>(
  { tipo, gestore }: GenuineNotification,
  tracked: Tracked,
  { ourselves, managedNowBy }: TrackingContext<T>,
): boolean {
  if (gestore === '') return false;
  if (gestore === tracked.gestore || gestore === managedNowBy) return true;
  return gestore === ourselves && tipo === 'errore-consegna';
}
