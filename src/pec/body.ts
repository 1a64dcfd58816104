import { isAscii } from 'node:buffer';
import { encodeBase64, encodeQuotedPrintable } from '../mime/index.js';
import { Rope, type Segment } from '../rope/index.js';
import type { Boundaries } from './identificativo.js';
import { htmlText, plainText } from './readable-text.js';
import type { Wording } from './texts.js';

/** Columns of the base64 of daticert.xml, as the gestori write it (pec-format 1.2). */
const DATICERT_COLUMNS = 60;

/** The original message as a part of ours; its bytes are pointed at, never copied. */
export interface Embedded {
  readonly rope: Rope;
  /** Whether there are octets above 127; undefined when nobody has looked (see `isEightBit`). */
  readonly eightBit?: boolean | undefined;
}

/**
 * The entity that gets signed (RFC 6109 4.3, pec-format 1.2): multipart/mixed of the readable text, daticert.xml and
 * postacert.eml, the last two where there are. Canonical CRLF throughout, as long as the original is.
 */
export function composeEntity(input: {
  readonly boundaries: Boundaries;
  readonly wording: Wording;
  readonly daticert?: string | undefined;
  readonly original?: Embedded | undefined;
}): { readonly entity: Rope; readonly eightBit: boolean } {
  const { boundaries, original } = input;
  const eightBit = original !== undefined && labelEightBit(original);
  let head =
    `Content-Type: multipart/mixed; boundary="${boundaries.mixed}"\r\n` +
    // RFC 2045 6.4: a multipart declares what its parts need.
    `${eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}` +
    'MIME-Version: 1.0\r\n\r\n' +
    `--${boundaries.mixed}\r\n${alternative(boundaries.alternative, input.wording)}`;
  if (input.daticert !== undefined) head += `\r\n--${boundaries.mixed}\r\n${daticertPart(input.daticert)}`;
  const end = `\r\n--${boundaries.mixed}--\r\n`;
  if (original === undefined) return { entity: Rope.of(head + end), eightBit };
  head += `\r\n--${boundaries.mixed}\r\n${originalHeader(eightBit)}`;
  return { entity: Rope.of(head, original.rope, end), eightBit };
}

/** Whether any octet is above 127. Reads at most the whole rope, in constant memory. */
export async function isEightBit(rope: Rope): Promise<boolean> {
  for await (const chunk of rope.chunks()) if (!isAscii(chunk)) return true;
  return false;
}

function alternative(boundary: string, wording: Wording): string {
  const text = (subtype: string, bytes: Buffer): string =>
    `--${boundary}\r\n` +
    `Content-Type: text/${subtype}; charset="iso-8859-1"\r\n` +
    'Content-Disposition: inline\r\n' +
    'Content-Transfer-Encoding: quoted-printable\r\n\r\n' +
    `${encodeQuotedPrintable(bytes)}\r\n`;
  return (
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n` +
    `${text('plain', plainText(wording))}${text('html', htmlText(wording))}--${boundary}--\r\n`
  );
}

/** RFC 6109 4.3.3, by its real name (pec-format 1.1). */
function daticertPart(daticert: string): string {
  const encoded = encodeBase64(Buffer.from(daticert, 'utf8'), DATICERT_COLUMNS);
  return (
    'Content-Type: application/xml; name="daticert.xml"\r\n' +
    'Content-Disposition: inline; filename="daticert.xml"\r\n' +
    'Content-Transfer-Encoding: base64\r\n\r\n' +
    `${encoded.endsWith('\r\n') ? encoded : `${encoded}\r\n`}`
  );
}

/** RFC 6109 4.3.2. Decisions 17: labelled, never recoded. */
const originalHeader = (eightBit: boolean): string =>
  'Content-Type: message/rfc822; name="postacert.eml"\r\n' +
  'Content-Disposition: inline; filename="postacert.eml"\r\n' +
  `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}\r\n\r\n`;

/** 8bit is true of anything; it is the answer for bytes out of reach that nobody has looked at. */
function labelEightBit(original: Embedded): boolean {
  return (
    original.eightBit ??
    original.rope.segments.some((segment) => {
      const here = resident(segment);
      return here === undefined || !isAscii(here);
    })
  );
}

function resident(segment: Segment): Buffer | undefined {
  if ('bytes' in segment) return segment.bytes;
  return segment.source.resident?.subarray(segment.offset, segment.offset + segment.length);
}
