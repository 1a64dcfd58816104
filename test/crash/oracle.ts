/**
 * What the clients were told against what is in the mailboxes (decisions 2): a message answered 250 has one accettazione or
 * non-accettazione, each certified recipient of it one final outcome, one presa in carico and one copy or none. What was not
 * answered is there with all that follows, or not at all.
 */
import { answersFor, comparePromise, type Evidence } from '../support/evidence.js';
import { evidenceOf, serviceOf } from './evidence.js';
import type { Submission } from './ledger.js';
import { crowded, outside, refusedOutside, unknown, type World } from './world.js';

/** @returns the violations, each with its story */
export function compareMailboxes(world: World): string[] {
  const evidence = evidenceOf(world);
  for (const submission of world.submissions) compare(world, evidence, submission);
  evidence.violateUnaccounted();
  return evidence.violations;
}

function compare(world: World, evidence: Evidence<Submission>, submission: Submission): void {
  const promise = comparePromise(evidence, submission);
  if (promise?.kind === 'accettazione') {
    for (const recipient of submission.to) {
      if (outside.includes(recipient)) compareOutside(world, evidence, submission, recipient);
      else compareCertified(world, evidence, submission, recipient, promise.identificativo);
    }
  } else if (world.delivered.some((entry) => entry.startsWith(`${submission.marker} `))) {
    evidence.violated('a submission that was not accepted reached the outside', submission);
  }
}

function compareCertified(
  world: World,
  evidence: Evidence<Submission>,
  submission: Submission,
  recipient: string,
  identificativo: string,
): void {
  const service = serviceOf(world, submission.sender);
  const { outcomes, copies, taken } = answersFor(evidence, submission, recipient, identificativo, service);
  const [outcome] = outcomes;
  if (outcomes.length !== 1 || outcome === undefined) {
    const kinds = outcomes.map(({ kind }) => kind).join(', ');
    evidence.violated(`${recipient} has ${outcomes.length} final outcomes: ${kinds}`, submission);
  }
  const delivered = outcome?.kind === 'avvenuta-consegna';
  if (outcome !== undefined && recipient !== crowded.address && delivered === unknown.includes(recipient)) {
    evidence.violated(`${outcome.kind} (${outcome.errore}) for ${recipient}`, submission);
  }
  if (outcome !== undefined && copies.length !== (delivered ? 1 : 0)) {
    evidence.violated(`${outcome.kind}, and ${copies.length} copies with ${recipient}`, submission);
  }
  if (taken.length !== 1) {
    evidence.violated(`${recipient} was taken in charge ${taken.length} times`, submission);
  }
}

/** Ordinary mail may come twice, never not at all; what is refused is told in one DSN (decisions 22). */
function compareOutside(
  world: World,
  evidence: Evidence<Submission>,
  submission: Submission,
  recipient: string,
): void {
  const { marker, sender } = submission;
  const times = world.delivered.filter((entry) => entry === `${marker} ${recipient}`).length;
  const told = evidence.take(
    submission,
    sender,
    ({ kind, failed }) => kind === 'anomalia' && failed.includes(recipient),
  ).length;
  const [leastTimes, mostTold] = recipient === refusedOutside ? [0, 1] : [1, 0];
  if (times < leastTimes) evidence.violated(`nothing reached ${recipient}`, submission);
  if (told !== mostTold) evidence.violated(`${told} DSNs about ${recipient}`, submission);
}
