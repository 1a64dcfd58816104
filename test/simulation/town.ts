/**
 * The houses of every simulation and who lives there, made once a process: keys, mailboxes, a directory in which each knows
 * all the others. A simulation takes the first few.
 */
import { certificateHash, writeProviderRecord } from '../../src/directory/provider-record.js';
import { addressKey, domainOf } from '../../src/pec/index.js';
import { serviceMailboxOf } from '../support/wiring.js';
import { Disk } from './disk.js';
import { MemoryEngine } from './engine.js';
import { type SealingKey, type SealingKeys, sealingKeys } from './keys.js';
import { START } from './story.js';

/** Where a gestore lives: what is there before it starts and after it crashed. */
export interface Lot {
  readonly short: string;
  /** providerName. */
  readonly name: string;
  readonly mailDomain: string;
  readonly serviceMailbox: string;
  /** Addresses of those who send. */
  readonly users: readonly string[];
  readonly key: SealingKey;
  readonly disk: Disk;
}

export interface Town {
  readonly lots: readonly Lot[];
  readonly keys: SealingKeys;
}

const NAMES = [
  ['alfa', 'Alfa PEC S.p.A.', ['anna', 'aldo']],
  ['beta', 'Beta PEC S.r.l.', ['bruno', 'berta']],
  ['gamma', 'Gamma PEC S.p.A.', ['carla', 'carlo']],
  ['delta', 'Delta PEC S.r.l.', ['dario', 'diana']],
] as const;

/** Local parts that receive in every house, the users aside, and are refused: full, suspended, nobody. */
export const REFUSED_HERE = ['piena', 'sospesa', 'nessuno'] as const;

export const EXTERNAL = 'posta.example';
/** The outside: a user there, one whom his server refuses, and a domain that is not. */
export const outside = [`mario@${EXTERNAL}`, `nessuno@${EXTERNAL}`, 'qualcuno@assente.example'] as const;
export const isOutside = (address: string): boolean => (outside as readonly string[]).includes(address);

const QUOTA = 1024 * 1024 * 1024;

export async function openTown(): Promise<Town> {
  const domains = NAMES.map(([short, name]) => ({ name, mailDomain: `pec.${short}.example` }));
  const keys = await sealingKeys(domains, START);
  const lots = NAMES.map(([short, name, users], index): Lot => {
    const mailDomain = `pec.${short}.example`;
    const key = keys.keys[index];
    if (key === undefined) throw new Error(`no key for ${name}`);
    return {
      short,
      name,
      mailDomain,
      serviceMailbox: serviceMailboxOf(mailDomain),
      users: users.map((local) => `${local}@${mailDomain}`),
      key,
      disk: new Disk(),
    };
  });
  for (const lot of lots) await settleIn(lot, lots, keys.trust);
  return { lots, keys };
}

/** The writes of an operator beside the server: they meet no trouble. */
export const operatorOf = ({ disk }: Lot, now: () => number): MemoryEngine =>
  new MemoryEngine({ disk, now, salt: () => Buffer.alloc(16), strike: () => 'none' });

async function settleIn(lot: Lot, all: readonly Lot[], trust: string): Promise<void> {
  const operator = operatorOf(lot, () => START);
  const { mailDomain, serviceMailbox, users } = lot;
  await operator.write('addDomain', { name: mailDomain, now: START });
  for (const address of [serviceMailbox, ...users, `piena@${mailDomain}`, `sospesa@${mailDomain}`]) {
    const kind = address === serviceMailbox ? 'service' : 'user';
    const quota = address.startsWith('piena@') ? 1 : QUOTA;
    // No password: nobody logs in here, and hashing one would cost more than all the rest.
    await operator.write('addMailbox', {
      address,
      passwordHash: '',
      holderId: null,
      quota,
      kind,
      now: START,
    });
  }
  await operator.write('setMailbox', { address: `sospesa@${mailDomain}`, state: 'suspended' });
  for (const { name, mailDomain: domain, serviceMailbox: mailReceipt, key, disk } of all) {
    if (disk === lot.disk) continue;
    const { certificate } = key.identity;
    const ldif = writeProviderRecord({
      providerName: name,
      mailReceipt,
      managedDomains: [domain],
      certificates: [certificate],
      certificateHashes: [certificateHash(certificate)],
    });
    await operator.write('putDirectorySource', {
      id: name,
      kind: 'import',
      ldif: Buffer.from(ldif),
      trust,
      loadedAt: START,
    });
  }
  lot.disk.remember();
}

/** Whose address it is; undefined outside. */
export const lotOf = ({ lots }: Town, address: string): Lot | undefined =>
  lots.find(({ mailDomain }) => mailDomain === domainOf(addressKey(address)));
