import type { ContentType } from './content-type.js';
import type { Header } from './header.js';

/** One entity of a message. Offsets are octets in the rope that was read. */
export interface Part {
  /** Its own offsets count from `start`. */
  readonly header: Header;
  /** What the header says, or the default where it says nothing (in a multipart/digest: message/rfc822). */
  readonly type: ContentType;
  readonly start: number;
  /** The part is [start, end): without the CRLF that belongs to the delimiter after it. */
  readonly end: number;
  /** The body is [bodyStart, end), still encoded. */
  readonly bodyStart: number;
  /** Content-Disposition's filename, else Content-Type's name; decoded. */
  readonly fileName?: string | undefined;
  /** Empty unless the part is a multipart with a boundary: a message/rfc822 is a leaf. */
  readonly children: readonly Part[];
}

export interface StructureLimits {
  /** Parts inside one another, the message itself counted (default 20). */
  readonly depth?: number;
  /** Parts in all, the message itself counted (default 1000). */
  readonly parts?: number;
  /** Octets of one header (default 256 KiB); all of them together may have four times as many. */
  readonly headerBytes?: number;
}
