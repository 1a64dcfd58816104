/**
 * What the clients were told against what there is in the end (decisions 2, 3): mailboxes, register, tracking, queue, as
 * test/crash has it. Here peers refuse, ways are cut for days and operators meddle, so more endings are right than there.
 */

import { verifyRegister } from '../../src/registro/index.js';
import { BlobFiles } from '../../src/storage/blobs/files.js';
import type { ReceiptRow, RegisterRow, TrackingRow } from '../../src/storage/index.js';
import { LocalStore, type Store } from '../../src/storage/store.js';
import { answersFor, comparePromise, Evidence, type Found, type Told } from '../support/evidence.js';
import { headerOf } from '../support/inbox.js';
import { noteOf } from '../support/notes.js';
import type { Played } from './play.js';
import { isOutside, type Lot, lotOf, operatorOf, REFUSED_HERE } from './town.js';

const PREAVVISO = 'preavviso-errore-consegna';
const MAX = 1024 * 1024;

interface Opened {
  readonly lot: Lot;
  readonly store: Store;
  readonly register: readonly RegisterRow[];
}

/** @returns the violations, each with its submission */
export async function judge(played: Played): Promise<string[]> {
  const now = (): number => played.now;
  const opened: Opened[] = [];
  const found: Found[] = [];
  for (const { lot } of played.houses) {
    const store = new LocalStore({ engine: operatorOf(lot, now), files: new BlobFiles('/nowhere'), now });
    opened.push({ lot, store, register: await store.read('searchRegister', { limit: 100_000 }) });
    found.push(...(await mailOf(lot, store)));
  }
  const evidence = new Evidence(found, played.submissions, storyOf);
  const counts = countsOf(opened);
  for (const submission of played.submissions) await compare(played, evidence, opened, counts, submission);
  evidence.violateUnaccounted();
  for (const house of opened) await compareHouse(evidence, house);
  compareOutcomes(evidence, counts);
  return evidence.violations;
}

const storyOf = ({ sender, marker, to, answer }: Told): string =>
  `  ${sender} sent "${marker}" to ${to.join(' ')} (${answer})`;

async function mailOf({ users, serviceMailbox, mailDomain }: Lot, store: Store): Promise<Found[]> {
  const found: Found[] = [];
  const refused = REFUSED_HERE.map((local) => `${local}@${mailDomain}`);
  for (const address of [serviceMailbox, ...users, ...refused]) {
    const mailbox = await store.read('findMailbox', { address });
    if (mailbox === undefined) continue;
    for (const { contentId, uid } of await store.read('listMessages', {
      mailboxId: mailbox.id,
      folder: 'INBOX',
    })) {
      const bytes = await (await store.open(contentId)).bytes(MAX);
      found.push({ address, note: noteOf({ uid: String(uid), bytes, header: headerOf(bytes) }) });
    }
  }
  return found;
}

/** How often the registers have `identificativo event recipient`, and `identificativo event` for any. */
function countsOf(opened: readonly Opened[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { register } of opened) {
    for (const { identificativo, event, recipients } of register) {
      for (const about of ['', ...recipients]) {
        const key = `${identificativo} ${event} ${about}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  return counts;
}

async function compare(
  played: Played,
  evidence: Evidence,
  opened: readonly Opened[],
  counts: ReadonlyMap<string, number>,
  submission: Told,
): Promise<void> {
  const promise = comparePromise(evidence, submission);
  const home = opened.find(({ lot }) => lot === lotOf(played.town, submission.sender));
  if (home === undefined) throw new Error(`${submission.sender} is nobody's`);
  if (promise === undefined) {
    if (evidence.of(submission).length > 0) evidence.violated('no promise, but messages', submission);
    if (opened.some(({ register }) => register.some(({ subject }) => subject === submission.marker))) {
      evidence.violated('no promise, but register entries', submission);
    }
    return;
  }
  const { identificativo, kind } = promise;
  const once = (event: string, about = ''): void => {
    const times = counts.get(`${identificativo} ${event} ${about}`) ?? 0;
    if (times !== 1) evidence.violated(`${times} register entries "${event}" ${about}`, submission);
  };
  once(kind);
  if (kind !== 'accettazione') return;
  once('posta-certificata');
  const outgoing = await home.store.read('findOutgoing', { identificativo });
  const receipts = await home.store.read('findReceipts', { identificativo });
  for (const recipient of submission.to) {
    if (isOutside(recipient)) compareOutside(played, evidence, submission, recipient);
    else {
      const tracked = outgoing?.tracking.find((row) => row.recipient === recipient);
      const about = { recipient, identificativo, tracked, receipts, service: home.lot.serviceMailbox };
      compareCertified(played, evidence, submission, about, once);
    }
  }
}

interface About {
  readonly recipient: string;
  readonly identificativo: string;
  readonly tracked: TrackingRow | undefined;
  readonly receipts: readonly ReceiptRow[];
  readonly service: string;
}

function compareCertified(
  { network, meddled }: Played,
  evidence: Evidence,
  submission: Told,
  { recipient, identificativo, tracked, receipts, service }: About,
  once: (event: string, about: string) => void,
): void {
  const violated = (text: string): void => evidence.violated(`${recipient}: ${text}`, submission);
  const { outcomes, copies, taken } = answersFor(evidence, submission, recipient, identificativo, service);
  const kind = outcomes[0]?.kind;
  const place = `${submission.marker} ${recipient}`;
  const delivered = kind === 'avvenuta-consegna';
  if (outcomes.length > 1)
    violated(`${outcomes.length} final outcomes: ${outcomes.map((one) => one.kind).join(', ')}`);
  if (copies.length !== (delivered ? 1 : 0))
    violated(`${copies.length} copies, and ${kind ?? 'no final outcome'}`);
  if (taken.length > 1) violated(`taken in charge ${taken.length} times`);
  if (taken.length === 0 && (delivered || network.confirmed.has(place))) violated('no presa in carico');
  if (kind === undefined && (taken.length > 0 || network.confirmed.has(place)))
    violated('taken, and no final outcome');
  const refusedHere = REFUSED_HERE.some((local) => recipient.startsWith(`${local}@`));
  if (delivered && refusedHere) violated('delivered to nobody');
  const excused = refusedHere || meddled.has(recipient) || network.refused.has(place);
  if (kind === 'errore-consegna' && !excused) violated('errore-consegna without a reason');
  compareNotices(evidence, submission, { recipient, tracked, receipts, kind });
  if ((tracked?.outcome ?? undefined) !== kind) {
    violated(`the tracking says ${tracked?.outcome}, the mailbox ${kind ?? 'nothing'}`);
  }
  if ((tracked?.takenAt ?? null) === null && taken.length > 0)
    violated('the tracking knows no presa in carico');
  if ((tracked?.takenAt ?? null) !== null && taken.length === 0)
    violated('the tracking made up a presa in carico');
  if (kind !== undefined) once(kind, recipient);
}

/** Decisions 3: a notice each of silence, where there was silence; and both where nothing ever came. */
function compareNotices(
  evidence: Evidence,
  submission: Told,
  {
    recipient,
    tracked,
    receipts,
    kind,
  }: Pick<About, 'recipient' | 'tracked' | 'receipts'> & { kind: string | undefined },
): void {
  const violated = (text: string): void => evidence.violated(`${recipient}: ${text}`, submission);
  const steps = receipts.flatMap((row) =>
    row.kind === PREAVVISO && row.recipient === recipient ? [row] : [],
  );
  const notes = evidence.take(
    submission,
    submission.sender,
    (note) => note.kind === PREAVVISO && note.consegna === recipient,
  );
  if (notes.length !== steps.length)
    violated(`${notes.length} notices of silence, ${steps.length} on record`);
  const { firstNoticeAt = null, secondNoticeAt = null, takenAt = null } = tracked ?? {};
  for (const { step, at } of steps) {
    const due = step === '12h' ? firstNoticeAt : secondNoticeAt;
    if (due === null || at < due) violated(`the ${step} notice came before its time`);
    if (step === '12h' && takenAt !== null && takenAt < at)
      violated('the 12h notice came after the presa in carico');
  }
  if (new Set(steps.map(({ step }) => step)).size < steps.length) violated('a notice of silence came twice');
  if (kind === undefined && !steps.some(({ step }) => step === '24h'))
    violated('neither outcome nor 24h notice');
}

/** Ordinary mail may come twice, never not at all; what did not come is told in one DSN (decisions 22). */
function compareOutside({ network }: Played, evidence: Evidence, submission: Told, recipient: string): void {
  const { marker, sender } = submission;
  const reached = network.reachedOutside.includes(`${marker} ${recipient}`);
  const told = evidence.take(
    submission,
    sender,
    ({ kind, failed }) => kind === 'anomalia' && failed.includes(recipient),
  ).length;
  if (told > 1) evidence.violated(`${told} DSNs about ${recipient}`, submission);
  if (!reached && told === 0)
    evidence.violated(`nothing reached ${recipient}, and no DSN its sender`, submission);
}

/** RFC 6109 2.3: the chain is whole; and nothing waits any more. */
async function compareHouse(evidence: Evidence, { lot, store }: Opened): Promise<void> {
  const { fault } = await verifyRegister(store);
  if (fault !== null) evidence.violated(`${lot.short}: register: ${fault.reason} at ${fault.seq}`);
  const { due, leased, held } = await store.read('countQueue', {});
  if (due + leased + held > 0) {
    evidence.violated(`${lot.short}: ${due} due, ${leased} leased, ${held} held in the queue`);
  }
}

/** Nobody's register has both outcomes. */
function compareOutcomes(evidence: Evidence, counts: ReadonlyMap<string, number>): void {
  for (const key of counts.keys()) {
    const [identificativo, event, about = ''] = key.split(' ');
    if (about === '' || event !== 'avvenuta-consegna') continue;
    if (!counts.has(`${identificativo} errore-consegna ${about}`)) continue;
    evidence.violated(`the register has both outcomes for ${about} of ${identificativo}`);
  }
}
