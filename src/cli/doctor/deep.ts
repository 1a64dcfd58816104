import { createHash } from 'node:crypto';
import type { Config } from '../../config/index.js';
import type { Inconsistency, Store } from '../../storage/index.js';
import { sizeText } from '../text.js';
import { type Finding, failed, finding, ok, warning } from './finding.js';
import { checkRegister } from './parts.js';

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
    ['tables', () => checkTables(store)],
    ['contents', () => checkContents(store)],
    ['blobs', () => checkBlobs(config, store)],
    ['registro', () => checkRegister(store)],
  ];
  const found: Finding[] = [];
  for (const [name, check] of checks) found.push(...(await finding(name, check)));
  return found;
}

interface Diagnosis {
  readonly check: string;
  /** A warning costs room or a wrong figure; a failure costs mail or proof. */
  readonly grade: 'warning' | 'failed';
  readonly means: string;
  readonly mend: string;
}

const RESTORE = 'stop the server, put a copy of data/ aside, restore the last backup (docs/operate.md)';
const REPORT = 'nothing is lost by going on; keep a copy of data/ and report it';

const diagnoses: Readonly<Record<string, Diagnosis>> = {
  database: { check: 'database', grade: 'failed', means: 'the file is damaged', mend: RESTORE },
  reference: { check: 'database', grade: 'failed', means: 'rows point at rows that are gone', mend: RESTORE },
  quota: {
    check: 'quotas',
    grade: 'failed',
    means: 'mailboxes count other octets than their messages have',
    mend: 'update mailbox set used = (select coalesce(sum(size), 0) from message where mailbox_id = mailbox.id)',
  },
  folder: {
    check: 'folders',
    grade: 'failed',
    means: 'folders would give out numbers that messages have',
    mend: REPORT,
  },
  size: {
    check: 'contents',
    grade: 'failed',
    means: 'rows quote another size than their content',
    mend: RESTORE,
  },
  'forgotten content': {
    check: 'contents',
    grade: 'warning',
    means: 'nothing names them and the sweeper does not know',
    mend: `they cost room only; ${REPORT}`,
  },
  'forgotten blob': {
    check: 'blobs',
    grade: 'warning',
    means: 'nothing names them and the sweeper does not know',
    mend: `they cost room only; ${REPORT}`,
  },
  queue: {
    check: 'queue',
    grade: 'failed',
    means: 'rows are neither free nor leased',
    mend: 'ceralacca queue retry ID for each',
  },
  tracking: { check: 'tracking', grade: 'failed', means: 'deadlines and outcomes disagree', mend: REPORT },
  'outcome without receipt': {
    check: 'tracking',
    grade: 'failed',
    means: 'an outcome is recorded, its receipt is not kept',
    mend: 'take the receipt from a backup',
  },
  'receipt without outcome': {
    check: 'tracking',
    grade: 'failed',
    means: 'a final receipt is kept, its outcome is not recorded',
    mend: REPORT,
  },
  reception: {
    check: 'receptions',
    grade: 'failed',
    means: 'what would be answered to a repetition is not what was answered',
    mend: RESTORE,
  },
  'unregistered message': {
    check: 'registro',
    grade: 'failed',
    means: 'accepted messages have no entry',
    mend: 'keep everything as it is and compare with backups and logs',
  },
  'unregistered receipt': {
    check: 'registro',
    grade: 'failed',
    means: 'receipts have no entry',
    mend: 'keep everything as it is and compare with backups and logs',
  },
};

async function checkTables(store: Store): Promise<Finding[]> {
  const broken = await store.read('inspectTables', {});
  if (broken.length === 0) return [ok('tables', 'every rule between them holds')];
  return broken.map(diagnosed);
}

function diagnosed({ rule, count, examples }: Inconsistency): Finding {
  const { check, grade, means, mend } = diagnoses[rule] ?? {
    check: 'tables',
    grade: 'failed',
    means: rule,
    mend: REPORT,
  };
  const note = `${means}: ${listed(count, examples)}. To mend: ${mend}`;
  return grade === 'failed' ? failed(check, note) : warning(check, note);
}

const listed = (count: number, examples: readonly string[]): string =>
  count > examples.length
    ? `${examples.join(', ')} and ${count - examples.length} more`
    : examples.join(', ');

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
  const note = `they cannot be put together: ${listed(broken.length, broken.slice(0, NAMED))}`;
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
    return `${hash}: ${error instanceof Error ? error.message : String(error)}`;
  }
  return digest.digest('hex') === hash ? undefined : `${hash}: its bytes are other ones`;
}

const isNeeded = (store: Store, hash: string): Promise<boolean> => store.read('isBlobNamed', { hash });
