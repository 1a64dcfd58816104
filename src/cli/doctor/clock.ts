import type { Config } from '../../config/index.js';
import type { Store } from '../../storage/index.js';
import { unwatchedClock } from '../clock.js';
import { timeText } from '../text.js';
import { type Finding, failed, ok, warning } from './finding.js';

/** Milliseconds: a running server records the clock once an hour, and whenever its state changes. */
const RECORD_AGE = 2 * 3_600_000;

/** How the system clock stood when it was last recorded (decisions 30). */
export async function checkClock(config: Config, store: Store): Promise<Finding[]> {
  const unwatched = unwatchedClock(config);
  if (unwatched !== undefined) return [warning('clock', unwatched)];
  if (config.testing) return [ok('clock', 'testing: taken as true')];
  const { readClockEntry } = await import('../../registro/index.js');
  const entry = await store.read('lastClock', {});
  if (entry === undefined) return [warning('clock', 'not measured yet')];
  const { at, state, offset, sources } = readClockEntry(entry);
  const when = timeText(at);
  if (state === 'unmeasured' || offset === null) {
    return [warning('clock', `not measured, ${when}: ${entry.detail.note ?? ''}`)];
  }
  const side = offset > 0 ? 'behind' : 'ahead of';
  const by = sources === '' ? '' : ` (${sources})`;
  const note = `${(Math.abs(offset) / 1000).toFixed(3)} s ${side} UTC, ${when}${by}`;
  if (state === 'wrong') return [failed('clock', `${note}: nothing is certified`)];
  return [
    Math.abs(Date.now() - at) > RECORD_AGE ? warning('clock', `${note}; not since`) : ok('clock', note),
  ];
}
