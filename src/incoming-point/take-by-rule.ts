import type { Header } from '../mime/index.js';
import { ANOMALY_KEYWORD, domainOf, type LegalTime, serviceAddress } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { SmtpError } from '../smtp/index.js';
import { ChangeSet } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import { deliveredTo, type Fate, fateOf, type Refusal } from './fate.js';
import { refusals } from './refusals.js';
import { type Report, type ReportOptions, reportTo } from './report.js';
import { registerInfected, scan } from './scan.js';
import type { SenderCheck, SenderChecked } from './sender-check.js';
import { deliveryKey, uncertifiedEvent, wordsOf } from './uncertified.js';
import type { WrapOptions } from './wrap.js';

export interface RuleOptions extends WrapOptions, ReportOptions {
  /** The rule of mailboxes that set none (`policy.ordinary_mail`). */
  readonly ordinaryMail: 'reject' | 'anomaly';
  readonly checkSender: SenderCheck;
}

export interface OrdinaryMail {
  readonly header: Header;
  /** Why it is not certified; Italian. */
  readonly reason: string;
}

type Of<Kind extends Fate['kind']> = Extract<Fate, { kind: Kind }>;

/** The recipients of one transaction. */
interface Sorted {
  readonly anomalies: readonly Of<'anomaly'>[];
  readonly forwards: readonly Of<'forward'>[];
  readonly refused: readonly Of<'refused'>[];
}

/** What is taken, with its sender looked at. */
interface Case {
  readonly arrival: Arrival;
  readonly mail: OrdinaryMail;
  readonly time: LegalTime;
  readonly checked: SenderChecked;
}

/**
 * Ordinary mail, by the rule of each recipient's mailbox: into the mailbox inside an anomaly envelope, on to an ordinary
 * address, or refused. Refused for everybody it is in the session, so that the sender's own server reports it (decisions
 * 20); else those it does not reach stand in a DSN.
 */
export async function takeByRule(
  options: RuleOptions,
  arrival: Arrival,
  mail: OrdinaryMail,
  time: LegalTime,
): Promise<void> {
  const sorted = await sort(options, arrival, mail);
  if (isNobody(sorted)) return refuse(options, arrival, mail, time, sorted.refused);
  const infection = await scan(options, arrival.message);
  if (infection !== null) {
    await registerInfected(options, arrival, mail.header, time, infection);
    throw refusals.virus();
  }
  const checked = await options.checkSender(arrival, mail.header);
  if (checked.failure !== undefined)
    options.telemetry.event('reception.sender-unchecked', { reason: checked.failure });
  const given = { arrival, mail, time, checked };
  const anomaly = await sealAnomaly(options, given, sorted);
  const fitting = withRoom(sorted, anomaly.length);
  if (isNobody(fitting)) return refuse(options, arrival, mail, time, fitting.refused);
  await commit(options, given, fitting, anomaly);
}

async function sort(
  options: RuleOptions,
  { recipients }: Arrival,
  { header }: OrdinaryMail,
): Promise<Sorted> {
  const fates = await Promise.all(
    recipients.map(async (recipient) =>
      fateOf(recipient, await options.findMailbox(recipient), options.ordinaryMail, header),
    ),
  );
  const of = <Kind extends Fate['kind']>(kind: Kind) =>
    fates.filter((fate): fate is Of<Kind> => fate.kind === kind);
  return { anomalies: of('anomaly'), forwards: of('forward'), refused: of('refused') };
}

const isNobody = ({ anomalies, forwards }: Sorted): boolean => anomalies.length + forwards.length === 0;

/** What goes into mailboxes; empty where it goes into none. */
async function sealAnomaly(
  { issuer }: RuleOptions,
  { arrival, mail, time, checked }: Case,
  { anomalies }: Sorted,
): Promise<Rope> {
  if (anomalies.length === 0) return Rope.of();
  const sealed = await issuer.anomaly({
    time,
    mailFrom: arrival.mailFrom,
    recipients: anomalies.map(({ recipient }) => recipient),
    receivedHeader: mail.header,
    original: arrival.message,
    eightBit: arrival.eightBit,
    reason: mail.reason,
  });
  return Rope.of(`Return-Path: <${arrival.mailFrom}>\r\n`, checked.results, sealed.rope);
}

/** Those in whose mailbox there is no room are refused. */
function withRoom({ anomalies, forwards, refused }: Sorted, size: number): Sorted {
  const fits = ({ mailbox }: Of<'anomaly'>): boolean => mailbox.used + size <= mailbox.quota;
  const full = anomalies.filter((fate) => !fits(fate));
  return {
    anomalies: anomalies.filter(fits),
    forwards,
    refused: [
      ...refused,
      ...full.map(({ recipient }) => ({ kind: 'refused', recipient, why: 'full' }) as const),
    ],
  };
}

async function commit(options: RuleOptions, given: Case, sorted: Sorted, anomaly: Rope): Promise<void> {
  const { arrival, mail, time, checked } = given;
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  await depositAnomalies(sorted, anomaly, time, changes);
  for (const forward of sorted.forwards) await enqueueForward(options, given, forward, changes);
  const failures = sorted.refused.map(({ recipient, why }) => ({
    recipient,
    answer: answerTo(why, mail.reason),
  }));
  const report = await reportTo(options, { arrival, header: mail.header, time, checked, failures }, changes);
  register(options, given, sorted, report, changes);
  try {
    const { repeated } = await options.store.write('commitNotification', {
      ...changes.changes(),
      facts: [],
      digest: await deliveryKey(arrival),
    });
    if (repeated) report.giveBack();
  } catch (error) {
    report.giveBack();
    throw error;
  }
  options.telemetry.event('reception.ordinary', {
    delivered: sorted.anomalies.length,
    forwarded: sorted.forwards.length,
    refused: sorted.refused.length,
    sender: checked.standing,
  });
}

async function depositAnomalies(
  { anomalies }: Sorted,
  anomaly: Rope,
  time: LegalTime,
  changes: ChangeSet,
): Promise<void> {
  if (anomalies.length === 0) return;
  const content = await changes.content(anomaly);
  // An alias and its mailbox are one place: one copy.
  for (const mailboxId of new Set(anomalies.map(({ mailbox }) => mailbox.id))) {
    changes.deposit({
      mailboxId,
      folder: 'INBOX',
      content,
      size: anomaly.length,
      internalDate: time.epochMs,
      flags: [ANOMALY_KEYWORD],
      withinQuota: true,
    });
  }
}

/** As it came, with where it has been on top. */
async function enqueueForward(
  { issuer, post }: RuleOptions,
  { arrival, mail, time, checked }: Case,
  { mailbox, to }: Of<'forward'>,
  changes: ChangeSet,
): Promise<void> {
  const received = arrival.received?.(time.date) ?? '';
  const rope = Rope.of(deliveredTo(mailbox.address), checked.results, received, arrival.message);
  changes.enqueue({
    kind: 'forward',
    // The Message-ID is whatever its sender wrote: it must not put it among the rows of a certified message.
    identificativo: '',
    sender: arrival.mailFrom,
    subject: wordsOf(mail.header.text('Subject')),
    origin: issuer.provider.name,
    content: await changes.content(rope),
    size: rope.length,
    // Our own name: SPF of the sender's domain knows nothing of us. What bounces is registered (decisions 22).
    mailFrom: arrival.mailFrom === '' ? '' : serviceAddress(post.mailDomain),
    recipient: to,
    destination: domainOf(to),
    eightBit: arrival.eightBit,
    nextAttempt: time.epochMs,
    giveUpAt: time.epochMs + post.giveUpAfter,
  });
}

function register(
  options: RuleOptions,
  { arrival, mail, time, checked }: Case,
  { anomalies, forwards, refused }: Sorted,
  report: Report,
  changes: ChangeSet,
): void {
  const taken = { ...arrival, recipients: [...anomalies, ...forwards].map(({ recipient }) => recipient) };
  const deposited = [...new Set(anomalies.map(({ mailbox }) => mailbox.address))];
  changes.event(
    uncertifiedEvent(options, taken, mail.header, time, 'ricezione-ordinaria', {
      motivo: mail.reason,
      mittente: checked.standing === 'verified' ? 'verificato' : 'non verificato',
      ...(deposited.length === 0 ? {} : { depositata: deposited.join(' ') }),
      ...(forwards.length === 0 ? {} : { inoltrata: forwards.map(({ to }) => to).join(' ') }),
    }),
  );
  if (refused.length === 0) return;
  const out = { ...arrival, recipients: refused.map(({ recipient }) => recipient) };
  const causes = [...new Set(refused.map(({ why }) => answerTo(why, mail.reason).enhanced))];
  changes.event(
    uncertifiedEvent(options, out, mail.header, time, 'rifiuto', {
      motivo: mail.reason,
      esito: causes.join(' '),
      avviso: report.messageId ?? 'nessuno',
    }),
  );
}

/** How a sender hears of a refusal, in the session or in a DSN. */
function answerTo(why: Refusal, reason: string): SmtpError {
  switch (why) {
    case 'unknown':
      return refusals.unknownMailbox();
    case 'rejected':
      return refusals.certifiedMailOnly(reason);
    case 'full':
      return refusals.mailboxFull();
    case 'loop':
      return refusals.mailLoop();
  }
}

/** The one of several reasons that the session hears: what can be mended before what cannot. */
const LOUDEST: readonly Refusal[] = ['full', 'loop', 'rejected', 'unknown'];

async function refuse(
  options: RuleOptions,
  arrival: Arrival,
  { header, reason }: OrdinaryMail,
  time: LegalTime,
  refused: Sorted['refused'],
): Promise<never> {
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  changes.event(uncertifiedEvent(options, arrival, header, time, 'rifiuto', { motivo: reason }));
  await options.store.write('commitRefusal', changes.changes());
  options.telemetry.event('reception.ordinary-refused', { reason });
  const why = LOUDEST.find((each) => refused.some((fate) => fate.why === each)) ?? 'rejected';
  throw answerTo(why, reason);
}
