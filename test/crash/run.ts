/** One run: a disturbance under load, then peace, then the comparison. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settled } from '../support/gestore.js';
import { readAll } from './collectors.js';
import { evidenceOf } from './evidence.js';
import { strike } from './faults.js';
import { compareMailboxes } from './oracle.js';
import { compareStores } from './oracle-stores.js';
import { lookThrough } from './organisers.js';
import { startTraffic, textOf } from './traffic.js';
import { keepFolder, openWorld, organisers, readers, type World, type WorldRequest } from './world.js';

export interface RunRequest {
  readonly seed: string;
  readonly rounds: number;
  /** Milliseconds after which no new round begins. */
  readonly limit?: number;
}

export interface RunResult {
  /** Of the disturbance, the submissions by their answers, the cuts. */
  readonly summary: string;
  /** Each with what led to it; empty when every promise was kept. */
  readonly violations: readonly string[];
  /** What it told, when anything was violated: the folder of both gestori, with the whole journal. */
  readonly kept: string | undefined;
}

/** Rounds of faults; runs to the end and cleans up. A run that found something leaves its folder. */
export function runRounds(request: RunRequest): Promise<RunResult> {
  return runUnderOracle({ seed: request.seed }, async (world) => `${await disturb(world, request)} rounds`);
}

/**
 * A world, whatever `disturb` does to it under traffic of its own, and the comparison.
 * @param disturb tells in a word or two what it did; what it throws is a violation
 */
export async function runUnderOracle(
  request: WorldRequest,
  disturb: (world: World) => Promise<string>,
): Promise<RunResult> {
  const releases: (() => Promise<void> | void)[] = [];
  try {
    const world = await openWorld({ after: (release) => void releases.push(release) }, request);
    const done = await disturb(world).catch((error: unknown) => {
      world.faults.push(textOf(error));
      return 'broken off';
    });
    const violations = [...world.faults];
    // What cannot even be examined is a violation with the others.
    await examine(world, violations).catch((error: unknown) => violations.push(textOf(error)));
    const summary = summaryOf(world, done);
    if (violations.length === 0) return { summary, violations, kept: undefined };
    for (const gestore of Object.values(world.pair)) await gestore.stop('SIGKILL');
    writeFileSync(join(world.folder, 'journal.txt'), `${world.journal.all().join('\n')}\n`);
    writeFileSync(join(world.folder, 'violations.txt'), `${violations.join('\n\n')}\n`);
    return { summary, violations, kept: keepFolder(world) };
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

/** @returns how many rounds there were */
async function disturb(world: World, { rounds, limit }: RunRequest): Promise<number> {
  const traffic = startTraffic(world);
  const start = performance.now();
  let done = 0;
  try {
    while (done < rounds && performance.now() - start < (limit ?? Number.POSITIVE_INFINITY)) {
      done += 1;
      await strike(world, done);
    }
  } catch (error) {
    world.faults.push(`round ${done}: ${textOf(error)}`);
  }
  await traffic.stop();
  return done;
}

/** Peace, and then what there is against what was said. */
async function examine(world: World, violations: string[]): Promise<void> {
  const { pair, journal, proxies } = world;
  for (const proxy of Object.values(proxies)) {
    proxy.rate = { 'before the greeting': 0, 'in the content': 0, 'before the reply': 0 };
  }
  journal.tell('both start again, undisturbed');
  await stop(world, violations);
  await Promise.all(Object.values(pair).map((gestore) => gestore.start()));
  await settled(pair).catch((error: unknown) => violations.push(textOf(error)));
  for (const { house, local } of readers) await readAll(world, house, local);
  for (const house of ['alfa', 'beta'] as const) await readAll(world, house, 'ricevute');
  for (const organiser of organisers) await lookThrough(world, organiser);
  for (const ledger of [...world.mailboxes.values(), ...world.folders.values()])
    violations.push(...ledger.complaints);
  violations.push(...compareMailboxes(world));
  await stop(world, violations);
  violations.push(...(await compareStores(world)));
}

async function stop({ pair }: World, violations: string[]): Promise<void> {
  for (const gestore of Object.values(pair)) {
    const code = await gestore.stop('SIGTERM');
    if (code !== 0) violations.push(`${gestore.name} ended with ${code} on SIGTERM`);
  }
}

function summaryOf(world: World, done: string): string {
  const { submissions, proxies, mailboxes, delivered } = world;
  const evidence = evidenceOf(world);
  const kept = submissions.filter((one) => one.answer === 'lost' && evidence.promises(one).length > 0).length;
  const answers = { accepted: 0, refused: 0, lost: 0, unsent: 0 };
  for (const { answer } of submissions) answers[answer] += 1;
  const cuts = Object.values(proxies).flatMap((proxy) => Object.values(proxy.cuts));
  const read = [...mailboxes.values()].reduce((sum, { seen }) => sum + seen.size, 0);
  const gone = [...mailboxes.values()].reduce((sum, ledger) => sum + ledger.gone.size, 0);
  const told = `${answers.accepted} accepted, ${answers.refused} refused, ${answers.unsent} unsent`;
  return (
    `${done}, ${submissions.length} submissions (${told}, ${answers.lost} lost, ${kept} of them accepted), ` +
    `${cuts.reduce((sum, each) => sum + each, 0)} cuts, ${read} messages read, ${gone} deleted, ` +
    `${delivered.length} outside${troubleIn(world)}`
  );
}

/** What the servers' logs complain of, by name: no violation, and worth a look. */
function troubleIn({ pair }: World): string {
  const counts = new Map<string, number>();
  for (const { log } of Object.values(pair)) {
    for (const [, event = '', name] of log.matchAll(TROUBLE)) {
      const key = name === undefined ? event : `${event} ${name}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].map(([key, times]) => `, ${times} ${key}`).join('');
}

const TROUBLE =
  /"event":"(alarm|store\.unavailable|session\.failed|antivirus\.failed)"(?:,"name":"([^"]*)")?/g;
