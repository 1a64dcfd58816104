import { isAbsolute, relative } from 'node:path';
import type { Config } from '../../config/index.js';
import type { Inconsistency, InspectionRule } from '../../storage/index.js';
import { type Finding, failed, warning } from './finding.js';

/** How a finding is mended. sql: statements that make it right, whatever their number of rows. */
type Mend = { readonly sql: string } | { readonly text: string };

export interface Diagnosis {
  readonly check: string;
  /** A warning costs room or a wrong figure; a failure costs mail or proof. */
  readonly grade: 'warning' | 'failed';
  readonly means: string;
  readonly mend: Mend;
}

const restore: Mend = {
  text: 'stop the server, put a copy of data/ aside, restore the last backup (docs/operate.md)',
};
export const RESTORE = restore.text;
const compare: Mend = { text: 'keep everything as it is and compare with backups and logs' };

const QUOTA =
  'update mailbox set used = (select coalesce(sum(size), 0) from message where mailbox_id = mailbox.id)';
const sizeOf = (table: string): string =>
  `update ${table} set size = (select c.size from content c where c.id = content_id)`;
const SAME_RECIPIENT =
  'r.identificativo = tracking.identificativo and r.recipient_key = tracking.recipient_key';
const FINAL = "r.direction = 'received' and r.kind in ('avvenuta-consegna', 'errore-consegna')";

const diagnoses: Readonly<Record<InspectionRule | 'database' | 'index' | 'reference', Diagnosis>> = {
  database: { check: 'database', grade: 'failed', means: 'the file is damaged', mend: restore },
  index: {
    check: 'database',
    grade: 'failed',
    means: 'indexes do not have what their tables have',
    mend: { sql: 'reindex' },
  },
  reference: { check: 'database', grade: 'failed', means: 'rows point at rows that are gone', mend: restore },
  quota: {
    check: 'quotas',
    grade: 'failed',
    means: 'mailboxes count other octets than their messages have',
    mend: { sql: QUOTA },
  },
  folder: {
    check: 'folders',
    grade: 'failed',
    means: 'folders would give out numbers that messages have',
    mend: {
      sql:
        'update folder set uid_next = max(uid_next, (select coalesce(max(uid), 0) + 1 from message where folder_id = folder.id)),' +
        ' highest_modseq = max(highest_modseq, (select coalesce(max(modseq), 0) from message where folder_id = folder.id))',
    },
  },
  "another mailbox's message": {
    check: 'folders',
    grade: 'failed',
    means: "messages count for another mailbox than their folder's",
    mend: {
      sql: `update message set mailbox_id = (select f.mailbox_id from folder f where f.id = folder_id); ${QUOTA}`,
    },
  },
  size: {
    check: 'contents',
    grade: 'failed',
    means: 'rows quote another size than their content',
    mend: { sql: [...['message', 'queue', 'receipt'].map(sizeOf), QUOTA].join('; ') },
  },
  'forgotten content': {
    check: 'contents',
    grade: 'warning',
    means: 'nothing names them and the sweeper does not know',
    mend: {
      // The sweeper keeps those that are named after all.
      sql: 'insert or ignore into content_release (content_id) select id from content',
    },
  },
  'forgotten blob': {
    check: 'blobs',
    grade: 'warning',
    means: 'nothing names them and the sweeper does not know',
    mend: {
      sql:
        'insert into blob_link (hash, expires_at) select hash, 0 from blob where hash not in (select hash from content_blob)' +
        ' and hash not in (select hash from blob_link)',
    },
  },
  queue: {
    check: 'queue',
    grade: 'failed',
    means: 'rows are neither free nor leased',
    mend: { text: '"ceralacca queue hold ID" and then "ceralacca queue retry ID" for each' },
  },
  'untracked message': {
    check: 'tracking',
    grade: 'failed',
    means: 'nobody watches what became of their recipients',
    mend: restore,
  },
  'needless deadline': {
    check: 'tracking',
    grade: 'failed',
    means: 'a notice of silence awaits recipients that need none',
    mend: {
      sql: "update tracking set next_notice_at = null, next_step = null where outcome is not null or kind = 'esterno'",
    },
  },
  'half a deadline': {
    check: 'tracking',
    grade: 'failed',
    means: 'deadlines without their step, or steps without their deadline',
    mend: {
      sql:
        "update tracking set next_step = case when next_notice_at = first_notice_at then '12h' else '24h' end" +
        ' where next_notice_at is not null and next_step is null;' +
        " update tracking set next_notice_at = case next_step when '12h' then first_notice_at else second_notice_at end" +
        ' where next_step is not null and next_notice_at is null',
    },
  },
  'no deadline': {
    check: 'tracking',
    grade: 'failed',
    means: 'recipients await an outcome, and no notice would tell of their silence',
    mend: {
      sql:
        "update tracking set next_notice_at = second_notice_at, next_step = '24h' where kind = 'certificato'" +
        ' and outcome is null and next_step is null and not exists (select 1 from receipt r' +
        ` where ${SAME_RECIPIENT} and r.kind = 'preavviso-errore-consegna' and r.step = '24h')`,
    },
  },
  'undated outcome': {
    check: 'tracking',
    grade: 'failed',
    means: 'outcomes without their date, or dates without their outcome',
    mend: {
      sql:
        `update tracking set outcome_at = (select min(r.at) from receipt r where ${SAME_RECIPIENT}` +
        " and r.kind = replace(outcome, '-virus', '')) where (outcome is null) <> (outcome_at is null)",
    },
  },
  'outcome without receipt': {
    check: 'tracking',
    grade: 'failed',
    means: 'an outcome is recorded, its receipt is not kept',
    mend: { text: 'take the receipt from a backup' },
  },
  'receipt without outcome': {
    check: 'tracking',
    grade: 'failed',
    means: 'a final receipt is kept, its outcome is not recorded',
    mend: {
      sql:
        'update tracking set (outcome, outcome_at, next_notice_at, next_step) = (select r.kind, r.at, null, null' +
        ` from receipt r where ${SAME_RECIPIENT} and ${FINAL} order by r.at limit 1) where kind = 'certificato'` +
        ` and outcome is null and exists (select 1 from receipt r where ${SAME_RECIPIENT} and ${FINAL})`,
    },
  },
  reception: {
    check: 'receptions',
    grade: 'failed',
    means: 'what would be answered to a repetition is not what was answered',
    mend: restore,
  },
  'unregistered message': {
    check: 'registro',
    grade: 'failed',
    means: 'accepted messages have no entry',
    mend: compare,
  },
  'unregistered receipt': {
    check: 'registro',
    grade: 'failed',
    means: 'receipts have no entry',
    mend: compare,
  },
};

export const ruleNamed = (rule: InspectionRule): string => diagnoses[rule].check;

/** What an inconsistency means, for whom, and what mends it. */
export function diagnosed({ rule, count, examples }: Inconsistency, config: Config): Finding {
  const { check, grade, means, mend } = diagnoses[rule as keyof typeof diagnoses];
  const how = 'sql' in mend ? sqlCommand(config, mend.sql) : mend.text;
  const note = `${means}: ${namedFew(count, examples)}. To mend: ${how}`;
  return grade === 'failed' ? failed(check, note) : warning(check, note);
}

function sqlCommand({ storage, paths }: Config, sql: string): string {
  const { database } = storage;
  if (database.engine !== 'sqlite') return sql;
  const path = relative(paths.root, database.file);
  const file = path.startsWith('..') || isAbsolute(path) ? database.file : path;
  return `stop the server, then in ${paths.root}: sqlite3 ${file} "${sql}"`;
}

/** The first few of so many. */
export const namedFew = (count: number, examples: readonly string[]): string =>
  count > examples.length
    ? `${examples.join(', ')} and ${count - examples.length} more`
    : examples.join(', ');
