import { MimeError } from '../mime/index.js';
import { describeReply, makeReply, type Reply, replyFor, SmtpError, type Verdict } from '../smtp/index.js';
import type { QueueRow } from '../storage/index.js';
import type { Failure } from './ports.js';
import type { RouteError } from './routing.js';

/** How one try ended for one recipient. */
export type Outcome =
  | { readonly kind: 'sent'; readonly answer: string }
  | { readonly kind: 'temporary'; readonly error: string }
  | { readonly kind: 'permanent'; readonly failure: Failure };

/** What happens to a row after a try, or instead of one. */
export type Disposition =
  | { readonly kind: 'sent'; readonly answer: string }
  | { readonly kind: 'retry'; readonly at: number; readonly error: string }
  /** Waits for the operator, with an alarm (decisions 10). */
  | { readonly kind: 'held'; readonly error: string }
  /** Leaves the queue; nobody is told (decisions 8, 10). */
  | { readonly kind: 'dropped'; readonly error: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** The peer's verdict on one recipient. A connection lost, before or after the final dot, is tried again. */
export function outcomeOf(verdict: Verdict): Outcome {
  if ('lost' in verdict) return { kind: 'temporary', error: verdict.lost.message };
  // Only the reply to the final dot hands over (RFC 5321 4.1.1.4).
  if (verdict.reply.code < 300 && verdict.phase !== 'final')
    return { kind: 'temporary', error: `${verdict.phase}: out of turn: ${describeReply(verdict.reply)}` };
  return replyOutcome(verdict.reply, verdict.phase === 'rcpt');
}

/** What our own incoming point throws, read like a peer's reply. */
export function errorOutcome(error: unknown): Outcome {
  if (error instanceof SmtpError || error instanceof MimeError) {
    const { code, text } = replyFor(error);
    return replyOutcome(makeReply(code, [text]), false);
  }
  return { kind: 'temporary', error: error instanceof Error ? error.message : String(error) };
}

function replyOutcome(reply: Reply, aboutRecipient: boolean): Outcome {
  const text = describeReply(reply);
  if (reply.code < 300) return { kind: 'sent', answer: text };
  if (reply.code < 500) return { kind: 'temporary', error: text };
  // A bare 550 to RCPT means the mailbox (RFC 5321 4.2.3).
  const enhanced = reply.enhanced ?? (aboutRecipient && reply.code === 550 ? '5.1.1' : undefined);
  return { kind: 'permanent', failure: { kind: 'refused', enhanced, text } };
}

/** A domain that has no hop. */
export function routeOutcome(error: RouteError): Outcome {
  const text = error.message;
  if (!error.permanent) return { kind: 'temporary', error: `${error.status} ${text}` };
  if (error.status === '5.1.2') return { kind: 'permanent', failure: { kind: 'no-domain', text } };
  if (error.status === '5.1.10') return { kind: 'permanent', failure: { kind: 'no-mail', text } };
  return { kind: 'permanent', failure: { kind: 'refused', enhanced: error.status, text } };
}

/**
 * Where a row goes from here. It leaves the queue only after a try that came past its time: however the clock was set
 * meanwhile, no row goes untried.
 * @param now epoch milliseconds
 * @param delay milliseconds until the next try, if there is one
 */
export function dispose(
  row: Pick<QueueRow, 'kind' | 'giveUpAt'>,
  outcome: Outcome,
  now: number,
  delay: number,
): Disposition {
  if (outcome.kind === 'sent') return { kind: 'sent', answer: outcome.answer };
  if (outcome.kind === 'permanent') {
    if (row.kind === 'envelope' || isToldOf(row.kind)) return { kind: 'failed', failure: outcome.failure };
    // Nobody is told about a DSN (decisions 8); a notification is tried for its five days whatever the peer says, since a
    // receipt lost is worse than a peer asked again (decisions 10).
    if (row.kind !== 'notification') return { kind: 'dropped', error: outcome.failure.text };
  }
  const error = outcome.kind === 'temporary' ? outcome.error : outcome.failure.text;
  if (now < row.giveUpAt) return { kind: 'retry', at: Math.min(now + delay, row.giveUpAt), error };
  if (row.kind === 'notification') return { kind: 'held', error };
  if (!isToldOf(row.kind)) return { kind: 'dropped', error };
  return { kind: 'failed', failure: { kind: 'expired', text: error } };
}

/** Ordinary mail whose failure our user hears of by a DSN. */
const isToldOf = (kind: QueueRow['kind']): boolean => kind === 'ordinary' || kind === 'forward';
