/**
 * What the clients were told against what is in the mailboxes (decisions 2): a message answered 250 has one accettazione or
 * non-accettazione, each certified recipient of it one final outcome, one presa in carico and one copy or none. What was not
 * answered is there with all that follows, or not at all.
 */
import { Evidence, OUTCOMES, serviceOf } from './evidence.js';
import type { Submission } from './ledger.js';
import { crowded, outside, refusedOutside, unknown, type World } from './world.js';

/** @returns the violations, each with its story */
export function compareMailboxes(world: World): string[] {
  const evidence = new Evidence(world);
  for (const submission of world.submissions) compare(evidence, submission);
  for (const { address, note } of evidence.unaccounted()) {
    const about = `${note.kind} about "${note.subject}" ${note.identificativo} ${note.consegna ?? ''}`;
    evidence.violatedAbout(`${address} has what nobody has to have: ${about} (${note.uid})`, note.subject);
  }
  return evidence.violations;
}

function compare(evidence: Evidence, submission: Submission): void {
  const promises = evidence.promises(submission);
  const [promise] = promises;
  const { answer, identificativo, fault, marker } = submission;
  if (answer === 'accepted' && promise === undefined) {
    evidence.violated('a submission answered 250 has neither accettazione nor non-accettazione', submission);
  }
  if (answer === 'accepted' && promise !== undefined && promise.identificativo !== identificativo) {
    evidence.violated(
      `the 250 named ${identificativo}, the mailbox has ${promise.identificativo}`,
      submission,
    );
  }
  if (promises.length > 1) {
    const list = promises.map((note) => `${note.kind} ${note.identificativo}`).join(', ');
    evidence.violated(`a submission has ${promises.length} promises: ${list}`, submission);
  }
  if ((answer === 'refused' || answer === 'unsent') && promise !== undefined) {
    evidence.violated(`a submission that was ${answer} has its ${promise.kind}`, submission);
  }
  const expected = fault === 'none' ? 'accettazione' : 'non-accettazione';
  if (promise !== undefined && promise.kind !== expected) {
    evidence.violated(`${promise.kind} where ${expected} was due`, submission);
  }
  if (promise?.kind === 'accettazione') {
    for (const recipient of submission.to) {
      if (outside.includes(recipient)) compareOutside(evidence, submission, recipient);
      else compareCertified(evidence, submission, recipient, promise.identificativo);
    }
    const listed = promise.destinatari.map((entry) => entry.split(' ')[1]).sort();
    if (listed.join(' ') !== [...submission.to].sort().join(' ')) {
      evidence.violated(`the accettazione lists ${listed.join(' ')}`, submission);
    }
  } else if (evidence.world.delivered.some((entry) => entry.startsWith(`${marker} `))) {
    evidence.violated('a submission that was not accepted reached the outside', submission);
  }
}

function compareCertified(
  evidence: Evidence,
  submission: Submission,
  recipient: string,
  identificativo: string,
): void {
  const { sender } = submission;
  const outcomes = evidence.take(
    submission,
    sender,
    (note) =>
      OUTCOMES.includes(note.kind) && note.identificativo === identificativo && note.consegna === recipient,
  );
  const [outcome] = outcomes;
  if (outcomes.length !== 1 || outcome === undefined) {
    const kinds = outcomes.map(({ kind }) => kind).join(', ');
    evidence.violated(`${recipient} has ${outcomes.length} final outcomes: ${kinds}`, submission);
  }
  const delivered = outcome?.kind === 'avvenuta-consegna';
  if (outcome !== undefined && recipient !== crowded.address && delivered === unknown.includes(recipient)) {
    evidence.violated(`${outcome.kind} (${outcome.errore}) for ${recipient}`, submission);
  }
  const copies = evidence.take(
    submission,
    recipient,
    (note) => note.kind === 'posta-certificata' && note.identificativo === identificativo,
  );
  if (outcome !== undefined && copies.length !== (delivered ? 1 : 0)) {
    evidence.violated(`${outcome.kind}, and ${copies.length} copies with ${recipient}`, submission);
  }
  if (copies.some(({ body }) => body !== submission.body)) {
    evidence.violated(`${recipient} has other bytes than were sent`, submission);
  }
  const taken = evidence.take(
    submission,
    serviceOf(evidence.world, sender),
    (note) =>
      note.kind === 'presa-in-carico' &&
      note.identificativo === identificativo &&
      note.ricezione.includes(recipient),
  );
  if (taken.length !== 1) {
    evidence.violated(`${recipient} was taken in charge ${taken.length} times`, submission);
  }
}

/** Ordinary mail may come twice, never not at all; what is refused is told in one DSN (decisions 22). */
function compareOutside(evidence: Evidence, submission: Submission, recipient: string): void {
  const { marker, sender } = submission;
  const times = evidence.world.delivered.filter((entry) => entry === `${marker} ${recipient}`).length;
  const told = evidence.take(
    submission,
    sender,
    ({ kind, failed }) => kind === 'anomalia' && failed.includes(recipient),
  ).length;
  const [leastTimes, mostTold] = recipient === refusedOutside ? [0, 1] : [1, 0];
  if (times < leastTimes) evidence.violated(`nothing reached ${recipient}`, submission);
  if (told !== mostTold) evidence.violated(`${told} DSNs about ${recipient}`, submission);
}
