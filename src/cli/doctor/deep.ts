import { createHash } from 'node:crypto';
import type { Config } from '../../config/index.js';
import { inspectSpool } from '../../smtp/index.js';
import { BlobDamaged, inspectionRules, type Store, StoreUnavailable } from '../../storage/index.js';
import { sizeText } from '../text.js';
import { diagnosed, namedFew, RESTORE, ruleNamed } from './diagnoses.js';
import { type Finding, failed, finding, ok, warning } from './finding.js';
import { checkRegister } from './parts.js';
import { checkQuarantine } from './quarantine.js';

/** Rows read at a time, so that a running server is never kept waiting. */
const PAGE = 200;
/** Octets of a blob read at a time. */
const CHUNK = 1024 * 1024;
/** A file without a row younger than this may belong to a commit under way. */
const ORPHAN_MS = 24 * 3_600_000;
/** Damaged blobs or contents named one by one. */
const NAMED = 5;

/** Everything that is kept, against everything else that is kept. It reads all of it: hours on a large store. */
export async function checkDeep(config: Config, store: Store): Promise<Finding[]> {
  const checks: readonly (readonly [string, () => Promise<Finding[]>])[] = [
    ['database', () => checkFile(config, store)],
    ['tables', () => checkTables(config, store)],
    ['contents', () => checkContents(store)],
    ['blobs', () => checkBlobs(config, store)],
    ['quarantine', () => checkQuarantine(config, store)],
    ['registro', () => checkRegister(config, store)],
    ['leases', () => checkLeases(config, store)],
    ['spool', () => checkSpool(config)],
  ];
  const found: Finding[] = [];
  for (const [name, check] of checks) found.push(...(await examined(name, check)));
  return found;
}

/** What the disk does not give back is a finding as well, and the rest is looked at all the same. */
const examined = (check: string, look: () => Promise<Finding[]>): Promise<Finding[]> =>
  finding(check, () =>
    look().catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable) || error.reason !== 'input-output') throw error;
      return [failed(check, `${error.message}. To mend: ${RESTORE}`)];
    }),
  );

/** The file first: where it is damaged, no rule over it means much. */
async function checkFile(config: Config, store: Store): Promise<Finding[]> {
  const broken = await store.read('inspectFile', {});
  if (broken.length === 0) return [ok('database', 'file, indexes and references are sound')];
  return broken.map((one) => diagnosed(one, config));
}

/** Each rule by itself: one that cannot be looked at does not hide what the others find. */
async function checkTables(config: Config, store: Store): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const rule of inspectionRules) {
    const look = async (): Promise<Finding[]> => {
      const broken = await store.read('inspectRule', { rule });
      return broken === null ? [] : [diagnosed(broken, config)];
    };
    found.push(...(await examined(ruleNamed(rule), look)));
  }
  return found.length === 0 ? [ok('tables', 'every rule between them holds')] : found;
}

/** Rows that another node has leased, or this one under an earlier name: they wait until the lease ends. */
async function checkLeases({ hostname }: Config, store: Store): Promise<Finding[]> {
  const leases = await store.read('foreignLeases', { owner: hostname, limit: PAGE });
  if (leases.length === 0) return [ok('leases', 'none of another node')];
  const examples = leases
    .slice(0, NAMED)
    .map(({ id, owner, until }) => `queue row ${id} by ${owner} until ${new Date(until).toISOString()}`);
  const mend =
    'if that node is gone for good, "ceralacca queue hold ID" and then "ceralacca queue retry ID"; else they come back by themselves';
  return [warning('leases', `leased elsewhere: ${namedFew(leases.length, examples)}. To mend: ${mend}`)];
}

/** A crash leaves files of messages nobody was told of. */
async function checkSpool({ paths }: Config): Promise<Finding[]> {
  const { left, foreign } = await inspectSpool(paths.spool);
  const found: Finding[] = [];
  if (left > 0) {
    const mend = 'the server removes them at its start and every hour';
    found.push(warning('spool', `${left} files of messages that never came to an end. To mend: ${mend}`));
  }
  if (foreign.length > 0) {
    const names = namedFew(foreign.length, foreign.slice(0, NAMED));
    found.push(warning('spool', `not ours: ${names}. To mend: move them out of ${paths.spool}`));
  }
  return found.length === 0 ? [ok('spool', 'nothing is left over')] : found;
}

/** Whether every content can be put together from its pieces. */
async function checkContents(store: Store): Promise<Finding[]> {
  const broken: string[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: { broken: number[]; last: number | null } = await store.read('inspectContents', {
      after,
      limit: PAGE,
    });
    broken.push(...page.broken.map((id) => `content ${id}`));
    after = page.last;
  }
  if (broken.length === 0) return [ok('contents', 'each is whole')];
  const note = `they cannot be put together: ${namedFew(broken.length, broken.slice(0, NAMED))}`;
  return [failed('contents', `${note}. To mend: ${RESTORE}`)];
}

/** Whether every blob has the bytes that its name is the hash of, and every file of theirs a row. */
async function checkBlobs({ storage }: Config, store: Store): Promise<Finding[]> {
  const found: Finding[] = [];
  let octets = 0;
  let count = 0;
  for (let after = ''; ; ) {
    const page = await store.read('listBlobs', { after, limit: PAGE });
    for (const { hash, size } of page) {
      const fault = await blobFault(store, hash, size);
      if (fault !== undefined) found.push(failed('blobs', fault));
      octets += size;
      count += 1;
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.hash;
  }
  if (found.length > NAMED)
    found.splice(NAMED, found.length, failed('blobs', `and ${found.length - NAMED} more`));
  if (found.length > 0) {
    const folder = storage.blobs.kind === 'file' ? storage.blobs.folder : 'the bucket';
    found.push(
      failed(
        'blobs',
        `To mend: put files of these names from a backup into ${folder}; the name is the proof`,
      ),
    );
  } else found.push(ok('blobs', `${count} of ${sizeText(octets)}, each with the bytes of its name`));
  const orphans = await store.countOrphans({ before: Date.now() - ORPHAN_MS });
  // A crash leaves them; the daily sweep takes them away.
  if (orphans > 0)
    found.push(warning('blobs', `${orphans} files belong to no row; the daily sweep removes them`));
  return found;
}

/** One that was swept meanwhile has no fault; one whose bytes wait for their commit may have no file yet. */
async function blobFault(store: Store, hash: string, size: number): Promise<string | undefined> {
  const digest = createHash('sha256');
  try {
    const source = await store.blobs.open(hash);
    for (let at = 0; at < size; at += CHUNK) digest.update(await source.read(at, Math.min(CHUNK, size - at)));
  } catch (error) {
    if (!(await isNeeded(store, hash))) return undefined;
    const fault = error instanceof Error ? error.message : String(error);
    return error instanceof BlobDamaged ? fault : `blob ${hash}: ${fault}`;
  }
  return digest.digest('hex') === hash ? undefined : `blob ${hash} has other bytes than its name says`;
}

const isNeeded = (store: Store, hash: string): Promise<boolean> => store.read('isBlobNamed', { hash });
