import { createHash } from 'node:crypto';
import type { Source } from '../../rope/index.js';
import { SMALL_BLOB } from './layout.js';

/** Bytes in memory that the store will keep once under their hash. @throws RangeError past 64 KiB. */
export function smallSource(bytes: Uint8Array): Source {
  if (bytes.length > SMALL_BLOB)
    throw new RangeError(`a small blob has at most ${SMALL_BLOB} octets, not ${bytes.length}`);
  return residentSource(createHash('sha256').update(bytes).digest('hex'), bytes);
}

/** The same for bytes whose hash is known. */
export function residentSource(hash: string, bytes: Uint8Array): Source {
  const resident = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    length: resident.length,
    hash,
    resident,
    read: async (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > resident.length) {
        throw new RangeError(`octets ${offset} to ${offset + length} of a blob of ${resident.length}`);
      }
      return resident.subarray(offset, offset + length);
    },
  };
}
