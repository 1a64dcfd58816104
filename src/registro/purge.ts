/**
 * Deletes whole days of the register when their time is over (RFC 6109 2.3: 30 months). What is left of a day is its seal:
 * per lane the first and last place and the links before and after, the root and its stamp; and what a legal hold names,
 * with its proof.
 *
 * Crash point: the marks of `beginPurge` and `endPurge`; the next run goes on.
 */
import { type DaySeal, type HeldEntry, type HeldPlace, type Store, StoreConflict } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { proveEntries } from './prove.js';
import { removeFiles } from './seal/durable.js';
import { pathsOf } from './seal/paths.js';
import { seals } from './verify.js';

export interface PurgeParts {
  readonly store: Pick<Store, 'read' | 'write'>;
  /** `data/registro` */
  readonly folder: string;
  readonly telemetry: Pick<Telemetry, 'event'>;
}

/** Entries deleted in one commit: mail must not wait for it. */
const AT_ONCE = 1000;
/** Days deleted in one run. */
const DAYS = 1000;
/** Holds that come while a day is proved make it be proved again. */
const TRIES = 5;

/**
 * Deletes the days that ended before `before` (epoch milliseconds), the oldest first. A day that is not sealed is never
 * reached, for days are sealed in order.
 * @returns their names
 * @throws RegisterTouched when what a hold names cannot be proved any more
 */
export async function purgeDays(parts: PurgeParts, before: number): Promise<string[]> {
  const purged: string[] = [];
  for (let count = 0; count < DAYS; count += 1) {
    const oldest = await parts.store.read('oldestKeptDay', {});
    const seal = oldest && (await parts.store.read('findSeal', oldest));
    if (seal === undefined || seal.recordedTo > before) break;
    await purgeDay(parts, seal);
    purged.push(seal.day);
  }
  return purged;
}

async function purgeDay({ store, folder, telemetry }: PurgeParts, seal: DaySeal): Promise<void> {
  const { day } = seal;
  if (seal.state === 'whole') await begin(store, seal);
  let removed = 0;
  for (const { lane, first, last } of seal.lanes) {
    for (let at = first; at <= last; at += AT_ONCE) {
      const run = { day, lane, first: at, last: Math.min(last, at + AT_ONCE - 1) };
      removed += (await store.write('purgeRun', run)).removed;
    }
  }
  await removeDayFiles(store, folder, day);
  await store.write('endPurge', { day });
  telemetry.event('registro.purged', { day, entries: removed });
}

async function begin(store: PurgeParts['store'], seal: DaySeal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const proofs = await proofsOf(store, seal, await store.read('heldIn', { lanes: seal.lanes }));
    try {
      await store.write('beginPurge', { day: seal.day, proofs });
      return;
    } catch (error) {
      if (!(error instanceof StoreConflict) || error.what !== 'hold' || attempt === TRIES) throw error;
    }
  }
}

async function proofsOf(
  store: PurgeParts['store'],
  seal: DaySeal,
  held: readonly HeldPlace[],
): Promise<HeldEntry[]> {
  const proofs = await proveEntries(store, seal, held);
  return held.flatMap((place, at) => {
    const proof = proofs[at];
    return proof === undefined ? [] : [{ ...place, day: seal.day, ...proof }];
  });
}

/** All that holds what was registered; the stamp over the root stays. */
async function removeDayFiles(store: PurgeParts['store'], folder: string, day: string): Promise<void> {
  for await (const seal of seals(store, day)) {
    if (seal.day !== day) return;
    const paths = pathsOf(folder, seal);
    await removeFiles(paths.folder, [paths.file, paths.csv, paths.fileStamp]);
  }
}
