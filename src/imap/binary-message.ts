/**
 * A message that came as a binary literal (RFC 3516 4.4): its binary parts become base64, since a message that leaves here has
 * lines. Only parts that call themselves binary are touched; the rest keeps its octets.
 */
import { encodeBase64, type Header, type Part, readStructure } from '../mime/index.js';
import { Rope, type RopePart } from '../rope/index.js';

export async function withoutBinary(rope: Rope): Promise<Rope> {
  const pieces: RopePart[] = [];
  let at = 0;
  for (const part of binaryParts(await readStructure(rope))) {
    const body = await rope.slice(part.bodyStart, part.end).bytes();
    pieces.push(rope.slice(at, part.start), base64Header(part.header), encodeBase64(body));
    at = part.end;
  }
  return at === 0 ? rope : Rope.of(...pieces, rope.slice(at));
}

function* binaryParts(part: Part): Generator<Part> {
  for (const child of part.children) yield* binaryParts(child);
  const encoding = part.header.raw('content-transfer-encoding') ?? '';
  if (part.children.length === 0 && /^binary\b/i.test(encoding)) yield part;
}

function base64Header(header: Header): Buffer {
  const field = header.first('content-transfer-encoding');
  const { bytes } = header;
  if (field === undefined) return bytes;
  const said = Buffer.from(`${field.name}: base64\r\n`);
  return Buffer.concat([bytes.subarray(0, field.start), said, bytes.subarray(field.end)]);
}
