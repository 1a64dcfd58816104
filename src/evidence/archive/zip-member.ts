import { Inflate } from 'fflate';
import type { Rope } from '../../rope/index.js';
import type { ZipMember } from './zip-directory.js';

/** Why a member cannot be judged, in a word for programs. */
export type MemberOddity = 'encrypted' | 'method' | 'too-large' | 'damaged' | 'names-differ';

export type Unpacked = { readonly bytes: Buffer } | { readonly odd: MemberOddity };

const LOCAL = { signature: 0x04034b50, octets: 30 };
const STORED = 0;
const DEFLATED = 8;
/** Inflating goes on in steps of this many packed octets, each at most 1032 times as long unpacked (RFC 1951). */
const STEP = 16 * 1024;

/**
 * The octets of one member, proved by its CRC-32. What the directory says of sizes is held against what comes: nothing
 * beyond `most` is kept, whatever it says. Rejects only when the rope cannot be read.
 */
export async function unpack(file: Rope, member: ZipMember, most: number): Promise<Unpacked> {
  if (member.encrypted) return { odd: 'encrypted' };
  if (member.method !== STORED && member.method !== DEFLATED) return { odd: 'method' };
  if (member.unpacked > most) return { odd: 'too-large' };
  const local = await file.slice(member.offset, member.offset + LOCAL.octets).bytes();
  if (local.length < LOCAL.octets || local.readUInt32LE(0) !== LOCAL.signature) return { odd: 'damaged' };
  const name = member.offset + LOCAL.octets;
  const nameEnd = name + local.readUInt16LE(26);
  // Programs that read the one show another file than those that read the other.
  if (!(await file.slice(name, nameEnd).bytes()).equals(member.rawName)) return { odd: 'names-differ' };
  const start = nameEnd + local.readUInt16LE(28);
  const packed = file.slice(start, start + member.packed);
  if (packed.length !== member.packed) return { odd: 'damaged' };
  const bytes =
    member.method === STORED ? await packed.bytes(most).catch(rangeOnly) : await inflated(packed, member);
  if (bytes === undefined || bytes.length !== member.unpacked || crc32(bytes) !== member.crc32) {
    return { odd: 'damaged' };
  }
  return { bytes };
}

/** A stored member may be longer in the file than unpacked only in a lie. */
function rangeOnly(error: unknown): undefined {
  if (!(error instanceof RangeError)) throw error;
  return undefined;
}

/** Undefined when it is no deflate stream, does not end with the member, or is longer than the member. */
async function inflated(packed: Rope, { unpacked }: ZipMember): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  const inflate = new Inflate((part, final) => {
    length += part.length;
    ended = final;
    if (length <= unpacked) parts.push(part);
  });
  let left = packed.length;
  for await (const chunk of packed.chunks()) {
    for (let at = 0; at < chunk.length && length <= unpacked; at += STEP) {
      const step = chunk.subarray(at, at + STEP);
      left -= step.length;
      if (!pushed(inflate, step, left === 0)) return undefined;
    }
  }
  return ended && length === unpacked ? Buffer.concat(parts, length) : undefined;
}

function pushed(inflate: Inflate, step: Uint8Array, last: boolean): boolean {
  try {
    inflate.push(step, last);
    return true;
  } catch (error) {
    // fflate throws plain errors with a code, and nothing else, for what it cannot read.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 (ISO 3309), the one of ZIP. */
export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const octet of bytes) value = (value >>> 8) ^ (TABLE[(value ^ octet) & 0xff] ?? 0);
  return ~value >>> 0;
}
