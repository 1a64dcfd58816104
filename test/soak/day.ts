/** A day of two gestori, squeezed: every hour of it has the same traffic and something of its own, by the seed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../crash/world.js';
import { type Disk, type Reading, read, readDisk } from '../load/gauge.js';
import { type Weight, weigh } from '../load/weigh.js';
import type { TestGestore } from '../support/gestore.js';
import type { Random } from '../support/random.js';
import { webAnswer } from '../support/web-client.js';

/** Milliseconds between two readings at most. */
const OFTEN = 2000;
/** Shares of connections and messages that the wires between the gestori cut, at most. */
const CUTS = { 'before the greeting': 0.2, 'in the content': 0.2, 'before the reply': 0.3 } as const;

/** What one gestore held in an hour. */
export interface Held {
  readonly readings: readonly Reading[];
  /** At its end, without the garbage. */
  readonly weight: Weight;
  readonly disk: Disk;
}

export type Hour = Readonly<Record<'alfa' | 'beta', Held>>;

/** One hour. @param length milliseconds it lasts */
export async function hour(world: World, number: number, length: number): Promise<Hour> {
  const random = world.random.fork(`hour ${number}`);
  const end = performance.now() + length;
  const readings = { alfa: [] as Reading[], beta: [] as Reading[] };
  breakWires(world, random);
  const chores = [...houses(world)].map((gestore) => doChores(gestore, random.fork(gestore.name), length));
  while (performance.now() < end) {
    readings.alfa.push(await read(world.pair.alfa));
    readings.beta.push(await read(world.pair.beta));
    await sleep(Math.min(OFTEN, length / 4));
  }
  await Promise.all(chores);
  const held = async (house: 'alfa' | 'beta'): Promise<Held> => {
    const gestore = world.pair[house];
    return { readings: readings[house], disk: await readDisk(gestore), weight: await weigh(gestore) };
  };
  return { alfa: await held('alfa'), beta: await held('beta') };
}

const houses = ({ pair }: World): readonly TestGestore[] => [pair.alfa, pair.beta];

/** In half of the hours they hold. */
function breakWires({ proxies }: World, random: Random): void {
  for (const proxy of Object.values(proxies)) {
    const share = random.chance(0.5) ? random.next() : 0;
    proxy.rate = {
      'before the greeting': CUTS['before the greeting'] * share,
      'in the content': CUTS['in the content'] * share,
      'before the reply': CUTS['before the reply'] * share,
    };
  }
}

/** What operators and other machines do, at some moment of the hour; the directory is read again by the gestore itself too. */
async function doChores(gestore: TestGestore, random: Random, length: number): Promise<void> {
  for (const chore of random.several([hangUp, refreshDirectory, lookAtPages], 3)) {
    await sleep((random.next() * length) / 4);
    await chore(gestore);
  }
}

/** @throws when the configuration is not read again */
async function hangUp(gestore: TestGestore): Promise<void> {
  const before = gestore.log.length;
  process.kill(gestore.pid ?? 0, 'SIGHUP');
  for (const deadline = performance.now() + PATIENCE; ; await sleep(20)) {
    if (gestore.log.includes('"event":"server.reloaded"', before)) return;
    if (performance.now() > deadline) throw new Error(`${gestore.name} does not answer SIGHUP`);
  }
}

/** Milliseconds: generous; reached only when something is broken. */
const PATIENCE = 60_000;

/** @throws for what is no lack of patience: a command gives way to a server that writes all the time */
async function refreshDirectory(gestore: TestGestore): Promise<void> {
  const { code, err } = await gestore.try(['directory', 'refresh']);
  if (code !== 0 && !err.includes('database is locked')) throw new Error(`directory refresh: ${err}`);
}

async function lookAtPages(gestore: TestGestore): Promise<void> {
  for (const path of ['/healthz', '/readyz', '/igpec/provider.ldif.p7m', '/ca.pem', '/nothing-here']) {
    const { code } = await webAnswer(gestore, path);
    if (code >= 500) throw new Error(`${gestore.name}: ${path} answers ${code}`);
  }
}
