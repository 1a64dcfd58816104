/**
 * The directory of a ZIP file (APPNOTE.TXT 6.3): what is in the file is what its central directory lists. Records that
 * only stand somewhere in the file are not members.
 */
import type { Rope } from '../../rope/index.js';

/** The file as a whole is no usable ZIP. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

/** A member as the directory describes it; nothing of it is believed but where to look. */
export interface ZipMember {
  readonly name: string;
  /** The name as it stands. */
  readonly rawName: Buffer;
  readonly encrypted: boolean;
  readonly method: number;
  readonly crc32: number;
  /** Octets in the file, and unpacked. */
  readonly packed: number;
  readonly unpacked: number;
  /** Offset of its local header. */
  readonly offset: number;
}

const END = { signature: 0x06054b50, octets: 22, comment: 0xffff };
const END64_LOCATOR = { signature: 0x07064b50, octets: 20 };
const END64 = { signature: 0x06064b50, octets: 56 };
const RECORD = { signature: 0x02014b50, octets: 46 };
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
const UTF8_NAME = 0x0800;
const U32 = 0xffffffff;
const ZIP64_EXTRA = 0x0001;

/** Whether the octets of a file begin as a ZIP does, an empty one too. */
export const beginsZip = (head: Buffer): boolean =>
  head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1')) ||
  head.subarray(0, 4).equals(Buffer.from('PK\x05\x06', 'latin1'));

/** The members in the order of the directory. Constant memory. @throws ZipError */
export async function* membersOf(file: Rope): AsyncGenerator<ZipMember, void, undefined> {
  const { offset, octets, count } = await directoryOf(file);
  let window: Buffer = Buffer.alloc(0);
  let found = 0;
  for await (const chunk of file.slice(offset, offset + octets).chunks()) {
    window = window.length === 0 ? chunk : Buffer.concat([window, chunk]);
    let at = 0;
    for (;;) {
      const length = recordLength(window, at);
      if (length === undefined || at + length > window.length) break;
      found += 1;
      yield memberAt(window.subarray(at, at + length));
      at += length;
    }
    window = window.subarray(at);
  }
  if (window.length > 0 || found !== count) {
    throw new ZipError(`the directory announces ${count} members, ${found} could be read`);
  }
}

interface Directory {
  readonly offset: number;
  readonly octets: number;
  readonly count: number;
}

async function directoryOf(file: Rope): Promise<Directory> {
  const from = Math.max(0, file.length - END.octets - END.comment);
  const tail = await file.slice(from).bytes();
  const end = endIn(tail);
  if (end === undefined) throw new ZipError('it has no directory: it was cut short, or is no ZIP file');
  const wide = await directory64(file, from + end);
  const directory = wide ?? {
    count: tail.readUInt16LE(end + 10),
    octets: tail.readUInt32LE(end + 12),
    offset: tail.readUInt32LE(end + 16),
  };
  if (tail.readUInt16LE(end + 4) !== tail.readUInt16LE(end + 6))
    throw new ZipError('it is a part of several');
  if (directory.offset + directory.octets > from + end)
    throw new ZipError('its directory is not where it should be');
  return directory;
}

/** The last end record whose comment reaches to the end of the file. */
function endIn(tail: Buffer): number | undefined {
  for (let at = tail.length - END.octets; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END.signature) continue;
    if (at + END.octets + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return undefined;
}

async function directory64(file: Rope, end: number): Promise<Directory | undefined> {
  const place = end - END64_LOCATOR.octets;
  if (place < 0) return undefined;
  const locator = await file.slice(place, end).bytes();
  if (locator.readUInt32LE(0) !== END64_LOCATOR.signature) return undefined;
  const at = wideNumber(locator, 8);
  const record = await file.slice(at, at + END64.octets).bytes();
  if (record.length < END64.octets || record.readUInt32LE(0) !== END64.signature) {
    throw new ZipError('its ZIP64 directory is not where it should be');
  }
  return { count: wideNumber(record, 32), octets: wideNumber(record, 40), offset: wideNumber(record, 48) };
}

/** Octets of the record at a place; undefined where the window is too short to tell. */
function recordLength(window: Buffer, at: number): number | undefined {
  if (at + RECORD.octets > window.length) return undefined;
  if (window.readUInt32LE(at) !== RECORD.signature) throw new ZipError('its directory is damaged');
  return (
    RECORD.octets + window.readUInt16LE(at + 28) + window.readUInt16LE(at + 30) + window.readUInt16LE(at + 32)
  );
}

function memberAt(record: Buffer): ZipMember {
  const flags = record.readUInt16LE(8);
  const nameEnd = RECORD.octets + record.readUInt16LE(28);
  const rawName = Buffer.from(record.subarray(RECORD.octets, nameEnd));
  const extra = record.subarray(nameEnd, nameEnd + record.readUInt16LE(30));
  const wide = wideFields(extra);
  const value = (at: number): number => {
    const narrow = record.readUInt32LE(at);
    return narrow === U32 ? wide() : narrow;
  };
  // APPNOTE 4.5.3: in this order, each only where the narrow field is full.
  const unpacked = value(24);
  const packed = value(20);
  const offset = value(42);
  return {
    name: nameOf(rawName, flags),
    rawName,
    encrypted: (flags & ENCRYPTED) !== 0,
    method: record.readUInt16LE(10),
    crc32: record.readUInt32LE(16),
    packed,
    unpacked,
    offset,
  };
}

/** The numbers of the ZIP64 extra field, one after the other. */
function wideFields(extra: Buffer): () => number {
  let fields = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === ZIP64_EXTRA)
      fields = Buffer.from(extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2)));
  }
  let at = 0;
  return () => {
    if (at + 8 > fields.length) throw new ZipError('its directory is damaged');
    at += 8;
    return wideNumber(fields, at - 8);
  };
}

function wideNumber(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError('its directory is damaged');
  return Number(value);
}

/** Many programs write UTF-8 without saying so; what is no UTF-8 is shown octet by octet. */
function nameOf(raw: Buffer, flags: number): string {
  const text = raw.toString('utf8');
  return (flags & UTF8_NAME) !== 0 || !text.includes('\ufffd') ? text : raw.toString('latin1');
}
