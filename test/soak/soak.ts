/** One run: a day of traffic, then peace, then the judgement over what the processes held, and the oracle's. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunResult, runUnderOracle } from '../crash/run.js';
import { startTraffic } from '../crash/traffic.js';
import { people, type World } from '../crash/world.js';
import { descriptorsOf, type Reading, read, readDisk } from '../load/gauge.js';
import { makeWeighable } from '../load/weigh.js';
import { type Pair, settled, type TestGestore } from '../support/gestore.js';
import { FakeNtpServer } from '../support/ntp-server.js';
import { type Hour, hour } from './day.js';
import { complaintsOf } from './judgement.js';
import { visit } from './strangers.js';
import { watch } from './watchers.js';

export interface SoakRequest {
  readonly seed: string;
  readonly hours: number;
  /** Milliseconds of one hour. */
  readonly hour: number;
  /** False where the run is too short to tell growth from beginning. */
  readonly judgesGrowth: boolean;
  /** Called when an hour is over. */
  told?(number: number, hour: Hour, world: World): void;
}

/** How much longer than under the crash harness clients wait between two sessions: a day is no flood. */
const LEISURE = 2;
const STRANGERS = 3;
/** Descriptors that may be open when all is over, beside those before the first client: files that are read again soon. */
const SPARE_DESCRIPTORS = 4;
/** Milliseconds in which idle connections and files are let go. */
const PATIENCE = 90_000;

/** Runs to the end and cleans up; a run that found something leaves its folder. */
export async function soak(request: SoakRequest): Promise<RunResult> {
  const clock = await FakeNtpServer.open();
  try {
    return await runUnderOracle(
      { seed: request.seed, leisure: LEISURE, prepare: (pair) => prepare(pair, clock, request.hour) },
      (world) => live(world, request),
    );
  } finally {
    await clock.close();
  }
}

/** As in earnest, with its limits and its clock: only those of a day are out of the way. */
async function prepare({ alfa, beta }: Pair, clock: FakeNtpServer, length: number): Promise<void> {
  for (const [gestore, other] of [
    [alfa, beta],
    [beta, alfa],
  ] as const) {
    makeWeighable(gestore);
    const record = join(gestore.dir, 'other.ldif.p7m');
    await other.run(['directory', 'export', '--out', record]);
    const settings = {
      testing: 'false',
      'clock.ntp': JSON.stringify([`127.0.0.1:${clock.port}`]),
      'limits.messages_per_hour': '1000000',
      'limits.messages_per_day': '1000000',
      'limits.recipients_per_day': '1000000',
      'directory.sources': JSON.stringify([{ file: record, trust: other.caFile }]),
      'directory.refresh': `${Math.ceil(length / 1000)}s`,
    };
    for (const [key, value] of Object.entries(settings)) await gestore.run(['config', 'set', key, value]);
  }
}

async function live(world: World, request: SoakRequest): Promise<string> {
  const { pair } = world;
  const before = { alfa: await read(pair.alfa), beta: await read(pair.beta) };
  const traffic = startTraffic(world, [
    ...people.map((person) => (stopped: () => boolean) => watch(world, person, stopped)),
    ...Array.from({ length: STRANGERS }, (_, at) => (stopped: () => boolean) => {
      return visit(world, String(at), stopped);
    }),
  ]);
  const hours: Hour[] = [];
  try {
    for (let number = 1; number <= request.hours; number += 1) {
      const over = await hour(world, number, request.hour);
      hours.push(over);
      request.told?.(number, over, world);
    }
  } finally {
    await traffic.stop();
  }
  for (const proxy of Object.values(world.proxies)) {
    proxy.rate = { 'before the greeting': 0, 'in the content': 0, 'before the reply': 0 };
  }
  await settled(pair);
  for (const house of ['alfa', 'beta'] as const) {
    const held = hours.map((each) => each[house]);
    if (request.judgesGrowth) world.faults.push(...complaintsOf(pair[house].name, held));
    world.faults.push(...(await untilGone(pair[house], before[house])));
  }
  return `${hours.length} hours`;
}

/** What clients used is let go when they have gone. @returns complaints */
async function untilGone(gestore: TestGestore, before: Reading): Promise<string[]> {
  for (const deadline = performance.now() + PATIENCE; ; await sleep(500)) {
    const { sessions, descriptors } = await read(gestore);
    // No process has died: each message took its spool file with it.
    const { spool } = await readDisk(gestore);
    if (sessions === 0 && spool === 0 && descriptors <= before.descriptors + SPARE_DESCRIPTORS) return [];
    if (performance.now() < deadline) continue;
    return [
      `${gestore.name}: ${sessions} connections counted with nobody there; ${spool} files in the spool; ${descriptors} descriptors, ` +
        `${before.descriptors} before the first client: ${descriptorsOf(gestore)}`,
    ];
  }
}
