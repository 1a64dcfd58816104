import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Oid } from '../read/algorithms.js';
import { Tag } from '../read/asn1.js';
import { SignatureError } from '../read/attached.js';
import { CmsError } from '../read/cms-error.js';
import { der, derOid } from '../read/der.js';
import type { RevocationSource } from '../read/revocation.js';
import { parseSignedData } from '../read/signed-data.js';
import { examine, type SignerInfo } from '../read/verdict.js';
import { nodeCrypto } from '../verify/node-crypto.js';
import { memoryOf, type TrustStore } from '../verify/trust.js';
import { signedFrame } from './layout.js';
import type { Signer } from './signer.js';

/** Octets read or written at a time. */
const CHUNK = 1024 * 1024;
/** Before the content stand eleven headers; after it certificates and one signature. */
const LONGEST_HEAD = 256;
const LONGEST_TAIL = 1024 * 1024;

/** The octets of an open file in [from, to). */
export async function* chunksOf(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, to - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new CmsError('truncated', 'the file ends inside its content');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/**
 * Writes the content of one file, signed, into another, in constant memory: a `.p7m` in DER. Both are open; the second
 * is empty. `epochMs` becomes the signing time.
 * @returns SHA-256 of what was written, lower-case hex
 */
export async function signFile(
  content: FileHandle,
  into: FileHandle,
  signer: Signer,
  epochMs: number,
): Promise<string> {
  const { size } = await content.stat();
  const digest = createHash('sha256');
  for await (const chunk of chunksOf(content, 0, size)) digest.update(chunk);
  const { head, tail } = await signedFrame(signer, digest.digest(), epochMs, size);
  const written = createHash('sha256');
  const put = async (bytes: Buffer): Promise<void> => {
    written.update(bytes);
    await into.writeFile(bytes);
  };
  await put(head);
  for await (const chunk of chunksOf(content, 0, size)) await put(chunk);
  await put(tail);
  return written.digest('hex');
}

/** What a file of `signFile` holds and who signed it. */
export interface OpenedFile {
  readonly signer: SignerInfo;
  readonly signingTime: number | undefined;
  /** The content. */
  chunks(): AsyncGenerator<Buffer>;
}

/**
 * Verifies a signed file in constant memory. It must stand in the form `signFile` writes.
 * @param at epoch milliseconds at which the certificates must be valid; undefined: the signing time
 * @throws SignatureError; CmsError for what cannot be read or has another form
 */
export async function openSignedFile(
  file: FileHandle,
  question: { readonly trust: TrustStore; readonly crls?: RevocationSource; readonly at?: number },
): Promise<OpenedFile> {
  const { from, to, detached, size } = await frameOf(file);
  const { anchors, findPaths, readCertificates } = memoryOf(question.trust);
  if (to > size) throw new CmsError('truncated', 'the file ends inside its content');
  const verdict = await examine({
    cms: detached,
    chunks: chunksOf(file, from, to),
    use: { kind: 'file' },
    at: question.at ?? parseSignedData(detached).signer.attributes?.signingTime ?? 0,
    anchors,
    revocation: question.crls,
    crypto: nodeCrypto,
    findPaths,
    readCertificates,
  });
  if (verdict.faults.length > 0 || verdict.signer === undefined) {
    throw new SignatureError(verdict.faults, verdict.temporary);
  }
  return {
    signer: verdict.signer,
    signingTime: verdict.signingTime,
    chunks: () => chunksOf(file, from, to),
  };
}

/** Where the content stands, and the same signature without it. */
async function frameOf(
  file: FileHandle,
): Promise<{ from: number; to: number; size: number; detached: Uint8Array }> {
  const { size } = await file.stat();
  const head = Buffer.alloc(Math.min(LONGEST_HEAD, size));
  await file.read(head, 0, head.length, 0);
  const reader = new HeadReader(head, size);
  reader.enter(Tag.sequence, size);
  reader.expect(derOid(Oid.signedData));
  reader.enter(0xa0);
  reader.enter(Tag.sequence);
  const start = reader.at;
  reader.skip(Tag.integer);
  reader.skip(Tag.set);
  const before = head.subarray(start, reader.at);
  const end = reader.enter(Tag.sequence, null);
  reader.expect(derOid(Oid.data));
  reader.enter(0xa0, end);
  const to = reader.enter(Tag.octetString, end);
  const from = reader.at;
  if (size - to > LONGEST_TAIL) throw new CmsError('too-large', 'a signature of more than a megabyte');
  const tail = Buffer.alloc(size - to);
  await file.read(tail, 0, tail.length, to);
  const body = der(Tag.sequence, before, der(Tag.sequence, derOid(Oid.data)), tail);
  return { from, to, size, detached: der(Tag.sequence, derOid(Oid.signedData), der(0xa0, body)) };
}

/** Reads definite headers that lead to the content; lengths must agree with one another. */
class HeadReader {
  at = 0;

  constructor(
    private readonly head: Buffer,
    private readonly size: number,
  ) {}

  /**
   * Goes into an element. @param end where it must end: by default where the file does; null: wherever it says
   * @returns where it ends. @throws CmsError
   */
  enter(tag: number, end: number | null = this.size): number {
    const length = this.header(tag);
    const ends = this.at + length;
    if (ends > this.size || (end !== null && ends !== end)) {
      throw new CmsError('bad-length', 'the lengths of a signed file do not agree');
    }
    return ends;
  }

  skip(tag: number): void {
    const length = this.header(tag);
    this.at += length;
  }

  expect(bytes: Uint8Array): void {
    if (!this.head.subarray(this.at, this.at + bytes.length).equals(bytes)) {
      throw new CmsError('unsupported', 'not a signed file of this form');
    }
    this.at += bytes.length;
  }

  private header(tag: number): number {
    const first = this.head[this.at + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    if (
      this.head[this.at] !== tag ||
      octets > 4 ||
      first === 0x80 ||
      this.at + 2 + octets > this.head.length
    ) {
      throw new CmsError('bad-tag', 'not a signed file of this form');
    }
    const length = octets === 0 ? first : this.head.readUIntBE(this.at + 2, octets);
    this.at += 2 + octets;
    return length;
  }
}
