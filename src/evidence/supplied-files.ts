/**
 * Whether files that were handed in are those whose hashes a brief receipt has (RFC 6109 3.3.2.2). The hash is over the
 * part as it was encoded in the message, which a file alone does not tell: the usual encodings are tried. One that fits
 * is proof; that none fits is none of the contrary.
 */
import type { CryptoPort } from '../smime/read/index.js';
import { canonicalLines } from './line-ends.js';
import type { CarriedOriginal, Sentence } from './report.js';
import { type Finding, finding } from './report.js';
import { hexOf } from './words.js';

/** A file that was handed in, by what its hash would be. */
export interface HashedFile {
  readonly name: string;
  readonly forms: readonly { readonly sha1: string; readonly encoding: Sentence }[];
}

/** Characters in a line of base64: RFC 2045 6.8 allows up to 76; programs have their own. */
const COLUMNS: readonly number[] = [76, 72, 64, 60];
/** Lines that are encoded at a time. */
const LINES = 4096;
const CRLF = Buffer.from('\r\n');

/** Every hash a brief receipt may have for a file. The file is not needed any more. */
export async function hashFile(name: string, bytes: Buffer, crypto: CryptoPort): Promise<HashedFile> {
  const forms: { sha1: string; encoding: Sentence }[] = [];
  for (const { encoding, chunks } of encodings(bytes)) {
    // The line end before the boundary is the boundary's, but many programs write one more.
    for (const end of [[], [CRLF]]) {
      const { sha1 } = await crypto.digests(['sha1'], joined(chunks(), end));
      forms.push({ sha1: hexOf(sha1), encoding });
    }
  }
  return { name, forms };
}

interface Encoding {
  readonly encoding: Sentence;
  readonly chunks: () => Iterable<Uint8Array>;
}

function encodings(bytes: Buffer): readonly Encoding[] {
  const inLines = COLUMNS.map((columns) => ({
    encoding: {
      it: `codificato in base64 a righe di ${columns} caratteri`,
      en: `encoded in base64 in lines of ${columns} characters`,
    },
    chunks: () => base64Lines(bytes, columns),
  }));
  const asItStands = { it: "così com'è", en: 'as it stands' };
  const text = canonicalLines(bytes).bytes;
  // A text that is not encoded lends its last line end to the boundary.
  const unended = text.subarray(-2).equals(CRLF) ? text.subarray(0, -2) : text;
  return [
    ...inLines,
    {
      encoding: { it: 'codificato in base64 su una riga sola', en: 'encoded in base64 in a single line' },
      chunks: () => base64Lines(bytes, 4 * Math.max(1, Math.ceil(bytes.length / 3))),
    },
    { encoding: asItStands, chunks: () => [bytes] },
    { encoding: asItStands, chunks: () => [unended] },
  ];
}

function* joined(chunks: Iterable<Uint8Array>, end: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield* chunks;
  yield* end;
}

/** Base64 in lines, without a line end after the last. @param columns a multiple of 4 */
function* base64Lines(bytes: Buffer, columns: number): Generator<Buffer> {
  const octets = (columns / 4) * 3;
  const block = octets * Math.max(1, Math.min(LINES, Math.ceil(bytes.length / octets)));
  const lines = new RegExp(`.{${columns}}(?!$)`, 'g');
  for (let at = 0; at < bytes.length; at += block) {
    const text = bytes.toString('base64', at, Math.min(bytes.length, at + block));
    if (at > 0) yield CRLF;
    yield Buffer.from(columns > 76 ? text : text.replace(lines, '$&\r\n'), 'latin1');
  }
}

/** An attachment of a brief receipt and what was handed in for it. */
export interface FileMatch {
  /** Name of the attachment. */
  readonly part: string;
  readonly file: string;
  readonly encoding: Sentence;
}

/** Each attachment of a brief receipt with the first file that has its hash. */
export function matchFiles(original: CarriedOriginal | null, files: readonly HashedFile[]): FileMatch[] {
  const matches: FileMatch[] = [];
  for (const { name, sha1 } of original?.parts ?? []) {
    for (const file of sha1 === null ? [] : files) {
      const form = file.forms.find((one) => one.sha1 === sha1);
      if (form === undefined) continue;
      matches.push({ part: name, file: file.name, encoding: form.encoding });
      break;
    }
  }
  return matches;
}

/** What was found of every attachment that a brief receipt has the hash of. */
export function fileFindings(original: CarriedOriginal | null, files: readonly HashedFile[]): Finding[] {
  if (files.length === 0) return [];
  const matches = matchFiles(original, files);
  const hashed = (original?.parts ?? []).filter(({ sha1 }) => sha1 !== null);
  return hashed.map(({ name }) => {
    const match = matches.find(({ part }) => part === name);
    if (match !== undefined) return same(match);
    const candidate = files.find((file) => baseName(file.name) === name.normalize('NFC'));
    return candidate === undefined ? notSupplied(name) : notFound(name, candidate.name);
  });
}

/** macOS writes names in another normal form than mail does. */
const baseName = (path: string): string => (path.split(/[/\\]/).at(-1) ?? path).normalize('NFC');

const same = ({ part, file, encoding }: FileMatch): Finding =>
  finding(
    'file-hash-same',
    'holds',
    `Il file ${file}, ${encoding.it}, ha l'impronta SHA-1 che la ricevuta breve riporta per l'allegato "${part}".`,
    `The file ${file}, ${encoding.en}, has the SHA-1 hash the brief receipt gives for the attachment "${part}".`,
  );

const notFound = (part: string, file: string): Finding =>
  finding(
    'file-hash-not-found',
    'open',
    `Il file ${file}, codificato nei modi consueti, non dà l'impronta che la ricevuta breve riporta per l'allegato "${part}". Non lo smentisce: l'impronta è quella dell'allegato codificato come fu spedito, e può esserlo stato in un altro modo. Lo deciderebbe il messaggio spedito, intero.`,
    `The file ${file}, encoded in the usual ways, does not give the hash the brief receipt has for the attachment "${part}". That refutes nothing: the hash is of the attachment as it was encoded when sent, which may have been in another way. The message that was sent, whole, would decide it.`,
  );

const notSupplied = (part: string): Finding =>
  finding(
    'file-not-supplied',
    'remark',
    `Tra i file forniti nessuno ha l'impronta, né il nome, dell'allegato "${part}".`,
    `None of the files handed in has the hash, or the name, of the attachment "${part}".`,
  );
