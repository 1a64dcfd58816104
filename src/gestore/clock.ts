import { Chrony, type LatestTime, NtpServer, type TimeSource, UtcWatch } from '../clock/index.js';
import type { Config } from '../config/index.js';
import { clockEntry, readClockEntry } from '../registro/index.js';
import { refusals } from '../smtp/index.js';
import type { Store } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Running } from './running.js';

/** Measures the clock, now and from now on (decisions 30). With `testing` it is taken as true. @throws StoreUnavailable */
export async function watchClock(
  config: Config,
  { telemetry, store, latest }: { telemetry: Telemetry; store: Store; latest: LatestTime },
  running: Running,
): Promise<UtcWatch> {
  const last = await store.read('lastClock', {});
  const before = last === undefined ? undefined : readClockEntry(last);
  const watch = new UtcWatch({
    sources: config.testing ? [] : sourcesOf(config),
    interval: config.clock.interval.ms,
    foundWrong: before?.state === 'wrong' ? (before.offset ?? undefined) : undefined,
    record: (record) => store.write('recordClock', clockEntry(record, config.provider.name)),
    telemetry,
    latest,
  });
  running.add({ stop: () => watch.stop() });
  await watch.start();
  return watch;
}

function sourcesOf({ clock }: Config): TimeSource[] {
  const servers = clock.ntp.map(({ host, port }) => new NtpServer({ host, port }));
  return clock.chrony ? [...servers, new Chrony()] : servers;
}

/**
 * The time of everything that is certified: reading it is asking whether it may be (decisions 30).
 * @throws SmtpError 451 while the clock is more than a second off UTC
 */
export function certifyingClock(watch: UtcWatch, clock: () => number): () => number {
  return () => {
    if (!watch.certifies()) throw refusals.clockOff();
    return clock();
  };
}
