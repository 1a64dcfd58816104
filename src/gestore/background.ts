import { readFile } from 'node:fs/promises';
import { subtractPeriod } from '../config/index.js';
import { noticesOfFailure } from '../delivery-point/index.js';
import { authoritiesOf, ownTrust, purgeDays, Sealer } from '../registro/index.js';
import { networkDns, openRelay, storeQueue, watchedDns } from '../relay/index.js';
import { cleanSpool } from '../smtp/index.js';
import type { Store } from '../storage/index.js';
import { type Chore, SilenceNotices, SilenceWatch, Timers } from '../timers/index.js';
import { type Parts, StartError } from './parts.js';
import type { Running } from './running.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Without a sign for this long, a node was away: three are missed before. */
const PATIENCE = 3 * MINUTE + 30_000;
/** In place of a minute, for those who test. */
const SOON = 2_000;
/** A spool file or blob younger than this may belong to a commit under way. */
const ORPHAN_AGE = 24 * HOUR;

/** The outbound queue. */
export async function startRelay(parts: Parts, running: Running): Promise<void> {
  const { config, store, issuer, directory, incomingPoint, telemetry, clock, certifyingClock, utc } = parts;
  const { relay, hostname } = config;
  const opened = await openRelay({
    queue: storeQueue(store),
    local: {
      isOwnDomain: (domain) => directory.isOwnDomain(domain),
      domains: async () => {
        await directory.current();
        return directory.own().managedDomains;
      },
      receive: (arrival) => incomingPoint.receive(arrival),
    },
    notices: (failed, changes) =>
      noticesOfFailure({ store, issuer, hostname, clock: certifyingClock }, failed, changes),
    routing: {
      routes: relay.routes,
      smartHost: relay.smart_host,
      hostname,
      dns: watchedDns(networkDns(relay.dns), telemetry),
      random: Math.random,
    },
    tls: {
      required: relay.require_tls,
      ca: await Promise.all(relay.tls_ca.map(readAuthority)),
    },
    backoff: {
      first: relay.first_retry.ms,
      max: relay.max_retry.ms,
    },
    // The same after a restart, so that a restarted node takes back its own leases at once (architecture 5).
    owner: hostname,
    random: Math.random,
    telemetry,
    clock,
    clockIsRight: () => utc.certifies(),
  });
  const endWaking = utc.onChange(() => opened.wake());
  running.add({
    stop: () => {
      endWaking();
      return opened.stop();
    },
  });
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    throw new StartError(`relay.tls_ca: ${file} cannot be read`, { cause: error });
  }
}

/** What comes back by itself: notices of silence, sweeping, the directory, revocation lists. */
export async function startTimers(
  {
    config,
    store,
    issuer,
    directory,
    crls,
    antivirus,
    signer,
    telemetry,
    clock,
    certifyingClock,
    utc,
  }: Parts,
  running: Running,
): Promise<void> {
  const silence = new SilenceWatch({
    notices: new SilenceNotices({ store, issuer, telemetry, clock: certifyingClock }),
    longest: Math.min(MINUTE, config.timers.first_notice.ms),
    clock,
    clockIsRight: () => utc.certifies(),
    telemetry,
  });
  silence.start();
  const endWaking = utc.onChange(() => silence.wake());
  running.add({
    stop: () => {
      endWaking();
      return silence.stop();
    },
  });
  // What is removed by its age would look too old: the next turn removes it, when what the step overtook is long done.
  const unlessStepped = (age: number, run: () => Promise<unknown>) => async () => {
    if (!utc.stepped(age)) await run();
  };
  const refresh = config.directory.refresh.ms;
  const often = config.testing ? SOON : MINUTE;
  /** What is gone is asked for again soon: a day without it would be long. */
  const again = Math.min(refresh, config.testing ? SOON : 5 * MINUTE);
  let listsMissing = false;
  const present = (begins: boolean) =>
    store.write('recordPresence', { node: config.hostname, now: clock(), begins, patience: PATIENCE });
  await present(true);
  const chores: Chore[] = [
    { name: 'sweep', every: HOUR, run: unlessStepped(HOUR, () => store.sweep({ now: clock() })) },
    {
      name: 'orphans',
      every: ORPHAN_AGE,
      run: unlessStepped(ORPHAN_AGE, () => store.removeOrphans({ before: clock() - ORPHAN_AGE })),
    },
    {
      name: 'quarantine',
      every: HOUR,
      run: unlessStepped(HOUR, async () => {
        // A clock that runs ahead would end what must be kept.
        if (!utc.certifies()) return;
        await purgeQuarantine(store, subtractPeriod(clock(), config.retention.quarantine));
      }),
    },
    { name: 'spool', every: HOUR, run: unlessStepped(2 * HOUR, () => cleanSpool(config.paths.spool)) },
    { name: 'antivirus', every: often, run: async () => antivirus.look() },
    { name: 'signer', every: often, run: () => signer.works() },
    { name: 'presence', every: MINUTE, run: () => present(false) },
    {
      name: 'directory',
      every: () => (directory.incomplete ? again : refresh),
      run: () => directory.refresh(),
    },
    {
      name: 'crl',
      every: () => (listsMissing ? again : refresh),
      run: async () => {
        const errors = await crls.refresh();
        for (const error of errors) telemetry.event('crl.failed', { source: 'refresh', error });
        listsMissing = errors.length > 0;
        if (listsMissing) telemetry.raise('crl-unavailable', '', errors.join('; '));
        else telemetry.clear('crl-unavailable', '');
      },
    },
  ];
  const sealer = await openSealer({ config, store, signer, telemetry, clock });
  // A clock that ran ahead would close a day that is not over.
  const seal = async (): Promise<void> => {
    if (utc.certifies()) await sealer.sealDue();
  };
  // What is removed by its age is removed by a clock that is known to be right.
  const purge = async (): Promise<void> => {
    if (!utc.certifies()) return;
    const before = subtractPeriod(clock(), config.retention.registro);
    await purgeDays({ store, folder: config.paths.registro, telemetry }, before);
  };
  chores.push({ name: 'seal', every: often, run: seal });
  chores.push({ name: 'purge', every: HOUR, run: unlessStepped(2 * HOUR, purge) });
  const timers = new Timers(chores, telemetry);
  timers.start();
  // What it lets through unseen is to be known before the first large message comes.
  antivirus.look();
  running.add({ stop: () => timers.stop() });
}

/** The daily seal of the register. @throws StartError when a CA cannot be read */
async function openSealer({
  config,
  store,
  signer,
  telemetry,
  clock,
}: Pick<Parts, 'config' | 'store' | 'signer' | 'telemetry' | 'clock'>): Promise<Sealer> {
  if (config.timestamp === null) {
    const reason =
      'timestamp: null. The days of the register are sealed without a time stamp, and the law wants one (DM 2/11/2005 art. 10)';
    telemetry.event('server.warning', { reason });
  }
  try {
    const [authorities, trust] = await Promise.all([authoritiesOf(config), ownTrust(config)]);
    const { provider, paths } = config;
    return new Sealer({
      store,
      folder: paths.registro,
      signer,
      trust: () => trust,
      gestore: provider.name,
      authorities,
      clock,
      telemetry,
    });
  } catch (error) {
    throw new StartError(`timestamp.ca, signing.chain or tls.ca: ${String(error)}`, { cause: error });
  }
}

/** Entries forgotten in one transaction. */
const PURGE_PAGE = 100;

/** Forgets the infected messages that came before; the sweeper removes their bytes. */
export async function purgeQuarantine(store: Pick<Store, 'write'>, before: number): Promise<void> {
  for (let more = true; more; ) {
    ({ more } = await store.write('purgeQuarantine', { before, limit: PURGE_PAGE }));
  }
}
