import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import type { Config } from '../../config/index.js';
import type { Store } from '../../storage/index.js';
import { sizeText } from '../text.js';
import { type Finding, failed, ok, warning } from './finding.js';

/** Room for a few messages of the largest size, with their copies. */
const roomNeeded = 1024 ** 3;

export async function checkDisk({ paths, storage, limits }: Config): Promise<Finding[]> {
  const folders = [paths.data, ...(storage.blobs.kind === 'file' ? [storage.blobs.folder] : [])];
  const found: Finding[] = [];
  for (const folder of folders) {
    await access(folder, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const note = `${folder}: ${sizeText(free)} free`;
    const reserve = sizeText(limits.disk_reserve);
    if (free < limits.disk_reserve)
      found.push(failed('disk', `${note}, ${reserve} are kept: no submission is taken`));
    else found.push(free < roomNeeded ? warning('disk', note) : ok('disk', note));
  }
  return found;
}

export async function checkAntivirus({ antivirus, limits }: Config): Promise<Finding[]> {
  const { measureReach, openAntivirus, reachFault, trustsArchives } = await import(
    '../../antivirus/index.js'
  );
  const scanner = openAntivirus(antivirus);
  if (!(await scanner.ping())) return [failed('antivirus', `${scanner.name} does not answer`)];
  if (antivirus.kind === 'builtin') return [warning('antivirus', 'finds only the EICAR test file')];
  const fault = reachFault(await measureReach(scanner, limits.incoming_size), limits.incoming_size);
  if (fault !== undefined) return [failed('antivirus', fault)];
  const seen = `it finds the test file at the end of a message of ${sizeText(limits.incoming_size)}`;
  const found = [ok('antivirus', `${scanner.name} answers; ${seen}`)];
  if (!(await trustsArchives(scanner))) return found;
  const blind =
    'clamd calls clean the archives that it does not unpack to the end: set AlertExceedsMax in clamd.conf';
  return [...found, warning('antivirus', blind)];
}

/** What opening the store would do; the store itself is not touched. */
export async function checkSchema({ storage }: Config): Promise<Finding[]> {
  if (storage.database.engine === 'sqlite' && !existsSync(storage.database.file)) {
    return [failed('store', `${storage.database.file}: there is no such database`)];
  }
  const { inspectSchema } = await import('../../storage/index.js');
  const { version, pending } = inspectSchema(storage);
  if (pending.length === 0) return [ok('store', `schema version ${version}`)];
  const names = pending.map((migration) => `${migration.version} ${migration.name}`).join(', ');
  return [warning('store', `schema version ${version}; the next start migrates to ${names}`)];
}

/** What the store says about the health of the gestore. */
export async function checkStored(config: Config, store: Store): Promise<Finding[]> {
  const { provider } = config;
  const service = await store.read('findMailbox', { address: provider.service_mailbox });
  const { due, leased, held } = await store.read('countQueue', {});
  const queue = `${due + leased} rows to send, ${held} held`;
  return [
    service?.kind === 'service'
      ? ok('service mailbox', provider.service_mailbox)
      : failed('service mailbox', `${provider.service_mailbox} is not there`),
    held > 0 ? warning('queue', queue) : ok('queue', queue),
  ];
}

/** Entries, daily seals, stamps and day files. */
export async function checkRegister(config: Config, store: Store): Promise<Finding[]> {
  const { verifyWhole } = await import('../../registro/index.js');
  const { entries, days, stamped, fault, warnings } = await verifyWhole(store, config, Date.now());
  const told = [...new Set(warnings)].slice(0, WARNINGS).map((text) => warning('registro', text));
  if (fault === null) {
    return [ok('registro', `${entries} entries, ${days} days sealed, ${stamped} stamped; all fit`), ...told];
  }
  const { day, lane, seq, reason } = fault;
  const where = [...(day === null ? [] : [day]), ...(seq === null ? [] : [`lane ${lane}, entry ${seq}`])];
  return [failed('registro', `${where.join(', ')}: ${reason}`), ...told];
}

/** Warnings of the register told one by one. */
const WARNINGS = 5;
