import type { Config } from '../config/index.js';
import type { Store } from '../storage/index.js';
import { authoritiesOf, ownTrust } from './seal/settings.js';
import { trustOfAll } from './seal/stamp.js';
import { verifyRegister } from './verify.js';
import { verifyActs } from './verify-acts.js';
import { verifySeals } from './verify-seals.js';

/** What a verification of everything that makes the register found. */
export interface WholeVerdict {
  /** Entries read, and lanes they stand in. */
  readonly entries: number;
  readonly lanes: number;
  /** Acts of administrators. */
  readonly acts: number;
  /** Days sealed, of these deleted by their age, and stamped. */
  readonly days: number;
  readonly purged: number;
  readonly stamped: number;
  /** The first thing that does not fit, or null. */
  readonly fault: {
    readonly day: string | null;
    /** Number of the act. */
    readonly act: number | null;
    readonly lane: number | null;
    readonly seq: number | null;
    readonly identificativo: string | null;
    readonly reason: string;
  } | null;
  readonly warnings: readonly string[];
}

const NOWHERE = { day: null, lane: null, seq: null, identificativo: null } as const;

/**
 * Verifies chain, administrators' acts, daily roots, time stamps and files.
 * @param now epoch milliseconds
 * @throws StoreUnavailable; the file system's error for a CA of the configuration that cannot be read
 */
export async function verifyWhole(
  store: Pick<Store, 'read'>,
  config: Pick<Config, 'provider' | 'paths' | 'signing' | 'tls' | 'timestamp'>,
  now: number,
): Promise<WholeVerdict> {
  const named = new Map<string, string>();
  const heads: string[] = [];
  const { entries, lanes, fault } = await verifyRegister(store, ({ detail }) => {
    if (detail.parte === undefined) named.set(detail.giorno ?? '', detail.radice ?? '');
    if (detail.atti !== undefined) heads.push(detail.atti);
  });
  const unsealed = { entries, lanes, days: 0, purged: 0, stamped: 0, warnings: [] };
  if (fault !== null) return { ...unsealed, acts: 0, fault: { day: null, act: null, ...fault } };
  const { acts, fault: actFault } = await verifyActs(store, heads);
  if (actFault !== null)
    return { ...unsealed, acts, fault: { ...NOWHERE, act: actFault.seq, reason: actFault.reason } };
  const authorities = await authoritiesOf(config);
  const seals = await verifySeals({
    store,
    folder: config.paths.registro,
    trust: await ownTrust(config),
    signer: `posta-certificata@${config.provider.mail_domain}`,
    stamps: authorities.length === 0 ? null : trustOfAll(authorities),
    named,
    now,
  });
  const found = seals.fault && {
    act: null,
    day: seals.fault.day,
    lane: seals.fault.entry?.lane ?? null,
    seq: seals.fault.entry?.seq ?? null,
    identificativo: seals.fault.entry?.identificativo ?? null,
    reason: seals.fault.reason,
  };
  const { days, purged, stamped, warnings } = seals;
  return { entries, lanes, acts, days, purged, stamped, fault: found, warnings };
}
