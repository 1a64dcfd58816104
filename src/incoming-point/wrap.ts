import type { Header } from '../mime/index.js';
import { ANOMALY_KEYWORD, type LegalTime } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { SmtpError } from '../smtp/index.js';
import { ChangeSet, type Mailbox } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import { refusals } from './refusals.js';
import { registerInfected, type ScanOptions, scan } from './scan.js';
import { deliveryKey, uncertifiedEvent } from './uncertified.js';

export interface WrapOptions extends ScanOptions {
  readonly findMailbox: (address: string) => Promise<Mailbox | undefined>;
}

/** Why a message is delivered uncertified, whatever the mailbox's rule. */
export interface Wrapping {
  /** Italian; null for a peer's anomaly envelope, which is delivered as it is (decisions 8). */
  readonly reason: string | null;
  /** Authentication-Results, CRLF-ended, of mail that no gestore signed. */
  readonly results?: string;
  /** providerName of the gestore that signed the message, where one did. */
  readonly gestore?: string | undefined;
  /** It was found clean a moment ago. */
  readonly scanned?: boolean;
}

/** What became of a message that was to be delivered uncertified. */
export type Wrapped = 'delivered' | 'unknown' | 'full' | 'infected';

/** How the session hears that a message went to nobody. */
export function refusalOf(outcomes: readonly Wrapped[]): SmtpError {
  if (outcomes.includes('infected')) return refusals.virus();
  return outcomes.includes('full') ? refusals.mailboxFull() : refusals.unknownMailbox();
}

/**
 * As `tryWrap`, for a message whose session hears of the refusal.
 * @throws SmtpError 550 when no recipient exists or it carries a virus, 552 when none has room
 */
export async function wrap(
  options: WrapOptions,
  arrival: Arrival,
  header: Header,
  time: LegalTime,
  wrapping: Wrapping,
): Promise<void> {
  const wrapped = await tryWrap(options, arrival, header, time, wrapping);
  if (wrapped !== 'delivered') throw refusalOf([wrapped]);
}

/** Somebody a certified message is not for, and why; Italian. */
export interface Stray {
  readonly recipient: string;
  readonly reason: string;
}

/**
 * Decisions 6 and 7, recipient by recipient: one that does not exist takes nothing from those that do. The message is
 * scanned once for all of them, and goes once into quarantine.
 */
export async function tryWrapEach(
  options: WrapOptions,
  arrival: Arrival,
  header: Header,
  time: LegalTime,
  { strays, gestore }: { readonly strays: readonly Stray[]; readonly gestore: string },
): Promise<Wrapped[]> {
  if (strays.length === 0) return [];
  const infection = await scan(options, arrival.message);
  if (infection !== null) {
    const recipients = strays.map(({ recipient }) => recipient);
    await registerInfected(options, { ...arrival, recipients }, header, time, infection, gestore);
    return ['infected'];
  }
  const outcomes: Wrapped[] = [];
  for (const { recipient, reason } of strays) {
    const one = { ...arrival, recipients: [recipient] };
    const wrapping = { reason, gestore, scanned: true } as const;
    outcomes.push(await tryWrap(options, one, header, time, wrapping));
  }
  return outcomes;
}

/**
 * Delivers a message that was not certified inside an anomaly envelope (RFC 6109 3.2.2): no presa in carico, no
 * consegna, no notice of any kind.
 */
async function tryWrap(
  options: WrapOptions,
  arrival: Arrival,
  header: Header,
  time: LegalTime,
  { reason, gestore, scanned = false, results = '' }: Wrapping,
): Promise<Wrapped> {
  const found = await Promise.all(arrival.recipients.map((address) => options.findMailbox(address)));
  // An alias and its mailbox are one place: one copy.
  const mailboxes = new Map(
    found.flatMap((mailbox) => (mailbox === undefined ? [] : [[mailbox.id, mailbox] as const])),
  );
  const open = [...mailboxes.values()].filter(({ state, kind }) => state === 'active' && kind === 'user');
  // Nobody hears of those it does not reach: a gestore has its time-outs for that (decisions 21).
  if (open.length === 0) return 'unknown';
  const infection = scanned ? null : await scan(options, arrival.message);
  if (infection !== null) {
    await registerInfected(options, arrival, header, time, infection, gestore);
    return 'infected';
  }

  const changes = new ChangeSet((rope) => options.store.pack(rope));
  const message = await delivered(options, arrival, header, time, reason);
  const stored = Rope.of(`Return-Path: <${arrival.mailFrom}>\r\n`, results, message);
  const roomy = open.filter(({ used, quota }) => used + stored.length <= quota);
  if (roomy.length === 0) return 'full';
  const content = await changes.content(stored);
  for (const mailbox of roomy) {
    changes.deposit({
      mailboxId: mailbox.id,
      folder: 'INBOX',
      content,
      size: stored.length,
      internalDate: time.epochMs,
      flags: [ANOMALY_KEYWORD],
      withinQuota: true,
    });
  }
  changes.event(
    uncertifiedEvent(
      options,
      arrival,
      header,
      time,
      reason === null ? 'ricezione-anomalia' : 'busta-anomalia',
      {
        motivo: reason ?? 'busta di anomalia di un altro gestore',
        depositata: roomy.map(({ address }) => address).join(' '),
      },
    ),
  );
  await options.store.write('commitNotification', {
    ...changes.changes(),
    facts: [],
    digest: await deliveryKey(arrival),
  });
  options.telemetry.event('reception.anomaly', { reason: reason ?? 'peer', recipients: roomy.length });
  return 'delivered';
}

async function delivered(
  { issuer }: WrapOptions,
  arrival: Arrival,
  header: Header,
  time: LegalTime,
  reason: string | null,
): Promise<Rope> {
  // An anomaly is wrapped once (decisions 8).
  if (reason === null) return arrival.message;
  const sealed = await issuer.anomaly({
    time,
    mailFrom: arrival.mailFrom,
    recipients: arrival.recipients,
    receivedHeader: header,
    original: arrival.message,
    eightBit: arrival.eightBit,
    reason,
  });
  return sealed.rope;
}
