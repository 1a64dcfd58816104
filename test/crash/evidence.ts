/** What exists after a run; and how a violation is told. */
import { Evidence, type Found } from '../support/evidence.js';
import type { Submission } from './ledger.js';
import { houseOf, type World } from './world.js';

/** Milliseconds of the journal shown before and after a submission. */
const BEFORE = 300;
const AFTER = 4000;
const STORY_LINES = 25;

export function evidenceOf(world: World): Evidence<Submission> {
  return new Evidence(found(world), world.submissions, (submission) => storyOf(world, submission));
}

function* found({ mailboxes }: World): Generator<Found> {
  for (const [address, { seen }] of mailboxes) for (const note of seen.values()) yield { address, note };
}

/** The submission, and the faults around it; the journal has the rest. */
function storyOf({ journal }: World, { marker, sender, to, answer, words, at }: Submission): string {
  const lines = journal
    .between(at - BEFORE, at + AFTER)
    .filter((line) => line.includes(`"${marker}"`) || line.includes('  round '))
    .slice(0, STORY_LINES);
  const told = words === undefined || words === '' ? answer : `${answer}: ${words}`;
  return [`  ${sender} sent "${marker}" to ${to.join(' ')} (${told})`, ...lines].join('\n  ');
}

/** Where the gestore of that address gets what other gestori say to it. */
export const serviceOf = ({ pair }: World, address: string): string =>
  pair[houseOf(address)].address('ricevute');
