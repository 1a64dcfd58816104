/**
 * The messages in a file that somebody kept: the file itself, or what a ZIP or a mailbox holds, and those inside it. What
 * a file is, its first octets say. Nothing is written anywhere; one message is in memory at a time, within limits.
 */
import { Rope } from '../../rope/index.js';
import { type ArchiveLimits, archiveLimits } from './limits.js';
import { beginsMail, beginsOutlook } from './mail.js';
import { beginsMbox, messagesOfMbox } from './mbox.js';
import { beginsZip, membersOf, ZipError, type ZipMember } from './zip-directory.js';
import { type MemberOddity, unpack } from './zip-member.js';

/** Why something that may be a message, or hold some, was not judged. */
export type Oddity = MemberOddity | 'total' | 'archive-damaged' | 'members' | 'depth' | 'outlook';

/** What a file holds, one after the other. Names are `archive.zip > path/in/zip.eml`. */
export type Item =
  | { readonly kind: 'message'; readonly name: string; readonly bytes: Buffer; readonly fromMbox: boolean }
  /** It counts against the whole: nobody knows what it says. */
  | { readonly kind: 'odd'; readonly name: string; readonly oddity: Oddity; readonly detail?: string }
  /** No mail. */
  | { readonly kind: 'other'; readonly name: string };

export interface Opened {
  readonly name: string;
  readonly file: Rope;
  /** Somebody named it to have it judged: it is a message if it is no archive. */
  readonly named: boolean;
}

/** Octets of the beginning that tell what a file is. */
const HEAD = 8192;

/** Reads a file to its end. Rejects only when the rope cannot be read; what the file holds never throws. */
export async function* open(
  { name, file, named }: Opened,
  limits: ArchiveLimits = archiveLimits,
): AsyncGenerator<Item, void, undefined> {
  const budget = { octets: limits.totalOctets, members: limits.members };
  yield* look({ name, file, named, fromMbox: false, depth: 0 }, { limits, budget });
}

interface Place extends Opened {
  readonly fromMbox: boolean;
  /** Archives around it. */
  readonly depth: number;
}

interface Bounds {
  readonly limits: ArchiveLimits;
  /** What is left of both, for everything in the file. */
  readonly budget: { octets: number; members: number };
}

async function* look(place: Place, bounds: Bounds): AsyncGenerator<Item, void, undefined> {
  const { name, file, depth } = place;
  const { limits } = bounds;
  const head = await file.slice(0, HEAD).bytes();
  // A message of a mailbox is one, whatever its first line looks like.
  const archive = place.fromMbox ? undefined : archiveOf(name, head);
  if (archive !== undefined && depth >= limits.depth) yield { kind: 'odd', name, oddity: 'depth' };
  else if (archive === 'zip') yield* lookInZip(place, bounds);
  else if (archive === 'mbox') yield* lookInMbox(place, bounds);
  else if (beginsOutlook(head)) yield { kind: 'odd', name, oddity: 'outlook' };
  else if (!place.named && !/\.eml$/i.test(name) && !beginsMail(head)) yield { kind: 'other', name };
  else if (file.length > limits.messageOctets) yield { kind: 'odd', name, oddity: 'too-large' };
  else
    yield { kind: 'message', name, bytes: await file.bytes(limits.messageOctets), fromMbox: place.fromMbox };
}

/** By its octets; a name only tells what a damaged file was meant to be. */
function archiveOf(name: string, head: Buffer): 'zip' | 'mbox' | undefined {
  if (beginsZip(head)) return 'zip';
  if (beginsMbox(head)) return 'mbox';
  return /\.zip$/i.test(name) && !beginsMail(head) ? 'zip' : undefined;
}

async function* lookInMbox(place: Place, bounds: Bounds): AsyncGenerator<Item, void, undefined> {
  let number = 0;
  for await (const message of messagesOfMbox(place.file)) {
    number += 1;
    if (bounds.budget.members <= 0) return yield { kind: 'odd', name: place.name, oddity: 'members' };
    bounds.budget.members -= 1;
    const name = `${place.name} > ${number}`;
    yield* look({ name, file: message, named: true, fromMbox: true, depth: place.depth + 1 }, bounds);
  }
}

async function* lookInZip(place: Place, bounds: Bounds): AsyncGenerator<Item, void, undefined> {
  const { file, depth } = place;
  const { budget } = bounds;
  try {
    for await (const member of membersOf(file)) {
      if (!mayMatter(member)) continue;
      const name = `${place.name} > ${member.name}`;
      if (budget.members <= 0) return yield { kind: 'odd', name: place.name, oddity: 'members' };
      budget.members -= 1;
      const most = Math.min(bounds.limits.messageOctets, budget.octets);
      const unpacked = await unpack(file, member, most);
      // What was read of a damaged member was work too.
      budget.octets -= Math.min(member.unpacked, most);
      if ('bytes' in unpacked) {
        const inner = {
          name,
          file: Rope.of(unpacked.bytes),
          named: false,
          fromMbox: false,
          depth: depth + 1,
        };
        yield* look(inner, bounds);
      } else if (unpacked.odd === 'too-large' && member.unpacked <= bounds.limits.messageOctets) {
        return yield { kind: 'odd', name: place.name, oddity: 'total' };
      } else yield { kind: 'odd', name, oddity: unpacked.odd };
    }
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    yield { kind: 'odd', name: place.name, oddity: 'archive-damaged', detail: error.message };
  }
}

/** Folders are no files, and macOS puts beside each file another with its own notes. */
const mayMatter = ({ name }: ZipMember): boolean => !/[/\\]$/.test(name) && !/^__MACOSX\//.test(name);
