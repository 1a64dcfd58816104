/**
 * What a scanner really looks at. clamd has no command that tells its limits: past `StreamMaxLength` it gives up, and past
 * `MaxFileSize` and `MaxScanSize` it calls clean, unseen, what it did not look at. So a message of the size in question
 * is sent, with the test file at its very end.
 */
import { Rope, type Source } from '../rope/index.js';
import { type Antivirus, AntivirusLimit } from './antivirus.js';
import { EICAR } from './eicar.js';

/** How far a scanner reaches. */
export type Reach =
  /** It found the test file. */
  | { readonly kind: 'whole' }
  /** It refuses messages of this size. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It calls them clean without having seen them whole. */
  | { readonly kind: 'blind' };

/** @param size octets. @throws AntivirusUnavailable when it cannot be asked */
export async function measureReach(antivirus: Pick<Antivirus, 'scan'>, size: number): Promise<Reach> {
  try {
    const { virus } = await antivirus.scan(testMessage(size));
    // With AlertExceedsMax clamd gives the limit that was met in place of a virus.
    if (virus?.startsWith('Heuristics.Limits.Exceeded')) return { kind: 'refused', reason: virus };
    return virus === null ? { kind: 'blind' } : { kind: 'whole' };
  } catch (error) {
    if (error instanceof AntivirusLimit) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

/** What an operator is to do about it; undefined where nothing. */
export function reachFault(reach: Reach, size: number): string | undefined {
  if (reach.kind === 'whole') return undefined;
  const mega = `${Math.ceil(size / (1024 * 1024))} MB (limits.incoming_size)`;
  if (reach.kind === 'refused') {
    return `clamd refuses messages of ${mega}: set StreamMaxLength, MaxFileSize and MaxScanSize in clamd.conf higher (${reach.reason})`;
  }
  return `clamd calls messages of ${mega} clean without looking at their end: set MaxFileSize and MaxScanSize in clamd.conf higher`;
}

const BOUNDARY = 'ceralacca-measure';

/** A message of that size, made like an envelope: an original inside, and in it a large file before the test file. */
export function testMessage(size: number): Rope {
  const head = [
    'From: postmaster@localhost',
    'Subject: antivirus measure',
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${BOUNDARY}"`,
    '',
    `--${BOUNDARY}`,
    'Content-Type: message/rfc822; name="postacert.eml"',
    '',
    'Subject: original',
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${BOUNDARY}-original"`,
    '',
    ...attachment('padding.bin'),
    '',
  ].join('\r\n');
  const tail = [
    '',
    ...attachment('eicar.com'),
    EICAR.toString('base64'),
    `--${BOUNDARY}-original--`,
    '',
    `--${BOUNDARY}--`,
    '',
  ].join('\r\n');
  return Rope.of(head, lines(Math.max(0, size - head.length - tail.length)), tail);
}

const attachment = (name: string): string[] => [
  `--${BOUNDARY}-original`,
  `Content-Type: application/octet-stream; name="${name}"`,
  'Content-Transfer-Encoding: base64',
  '',
];

const LINE = 78;

/** So many octets of base64 in lines, none of them in memory. */
function lines(length: number): Source {
  const page = Buffer.from(`${'Q0VSQUxBQ0NB'.repeat(7).slice(0, LINE - 4)}AA\r\n`.repeat(1024), 'latin1');
  return {
    length,
    async read(offset, wanted) {
      const bytes = Buffer.alloc(wanted);
      for (let at = 0; at < wanted; ) {
        at += page.copy(bytes, at, (offset + at) % page.length);
      }
      return bytes;
    },
  };
}
