/**
 * Whether the original that was handed in is the one the evidence carries. Body: byte for byte. Header: field for
 * field, but for what the gestore changes on the way (RFC 6109 3.1.5, decisions 15, 16): the Message-ID gives way to
 * the PEC msgid, X-Riferimento-Message-ID and Received are added, and Return-Path by whoever keeps the mail.
 */
import { type Header, MimeError, readHeader } from '../mime/index.js';
import { briefForm } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { CryptoPort } from '../smime/read/index.js';
import { hashIn, leavesOf } from './carried-original.js';
import { canonicalLines } from './line-ends.js';
import { type Finding, finding } from './report.js';
import { hexOf } from './words.js';

const CHANGED_ON_THE_WAY: readonly string[] = [
  'message-id',
  'x-riferimento-message-id',
  'received',
  'return-path',
];
/** Of a single part whose content gave way to its hash. */
const CONTENT_FIELDS: readonly string[] = [
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-md5',
  'content-length',
];
/** What a reader sees, and how the body is to be read; programs add fields of their own to the copy they keep. */
const TELLING: readonly string[] = [
  ...CONTENT_FIELDS,
  'from',
  'sender',
  'to',
  'cc',
  'reply-to',
  'subject',
  'date',
  'mime-version',
  'in-reply-to',
  'references',
  'x-tiporicevuta',
];

export interface SuppliedOriginal {
  readonly name: string;
  readonly bytes: Buffer;
  /** Among many messages it is compared with those about it alone: of the same Message-ID. */
  readonly onlyIfAbout?: boolean;
}

/** Whether evidence is about the original, by the Message-ID the gestore noted, or by that of what an anomaly carries. */
export async function isAbout(
  original: SuppliedOriginal,
  { msgid, postacert }: Pick<Question, 'msgid' | 'postacert'>,
): Promise<boolean> {
  const ours = await messageIdOf(Rope.of(canonicalLines(original.bytes).bytes));
  return ours !== undefined && ours === (msgid ?? (await messageIdOf(postacert ?? Rope.empty)));
}

const messageIdOf = async (message: Rope): Promise<string | undefined> =>
  (await headerOf(message))?.raw('Message-ID');

interface Question {
  readonly original: SuppliedOriginal;
  /** What the evidence carries; undefined when it carries nothing. */
  readonly postacert: Rope | undefined;
  readonly brief: boolean;
  /** `msgid` of daticert. */
  readonly msgid: string | undefined;
  readonly crypto: CryptoPort;
}

/** What the comparison found. Rejects only when the evidence cannot be read. */
export async function compareOriginal(question: Question): Promise<readonly Finding[]> {
  const { original, postacert, msgid } = question;
  const { bytes, ends } = canonicalLines(original.bytes);
  const rope = Rope.of(bytes);
  const header = await headerOf(rope);
  if (header === undefined) {
    return [
      finding(
        'original-not-comparable',
        'open',
        `Il file ${original.name} non è un messaggio leggibile.`,
        `The file ${original.name} is no readable message.`,
      ),
    ];
  }
  const findings: Finding[] = [];
  if (ends === 'lf') {
    findings.push(
      finding(
        'original-line-ends-restored',
        'remark',
        `Il file ${original.name} ha righe terminate da LF: prima del confronto sono state riportate a CRLF, come nella posta.`,
        `The file ${original.name} has lines that end in LF: before comparing they were given CRLF, as in mail.`,
      ),
    );
  }
  if (postacert === undefined) return [...findings, notComparable(header, msgid)];
  const ours = header.raw('Message-ID');
  if (ours !== undefined && msgid !== undefined && ours !== msgid) {
    findings.push(
      finding(
        'original-message-id-differs',
        'remark',
        `Il Message-ID del file ${original.name} (${ours}) non è quello che il gestore ha registrato (${msgid}).`,
        `The Message-ID of the file ${original.name} (${ours}) is not the one the gestore noted (${msgid}).`,
      ),
    );
  }
  return [...findings, ...(await compareContent(rope, header, { ...question, postacert }))];
}

async function headerOf(rope: Rope): Promise<Header | undefined> {
  try {
    return await readHeader(rope);
  } catch (error) {
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}

function notComparable(header: Header, msgid: string | undefined): Finding {
  const ours = header.raw('Message-ID');
  const same = ours !== undefined && ours === msgid;
  return finding(
    'original-not-comparable',
    'open',
    `Questo messaggio non contiene l'originale: non si può dire se il file fornito lo sia. ${
      same ? 'Il Message-ID coincide, ma chiunque può scriverlo.' : 'Neppure il Message-ID coincide.'
    }`,
    `This message does not hold the original: whether the file handed in is it cannot be told. ${
      same ? 'The Message-ID is the same, but anybody can write it.' : 'Not even the Message-ID is the same.'
    }`,
  );
}

async function compareContent(
  original: Rope,
  header: Header,
  question: Question & { readonly postacert: Rope },
): Promise<Finding[]> {
  const { postacert, brief, crypto } = question;
  const name = question.original.name;
  const carried = await headerOf(postacert);
  if (carried === undefined) {
    return [
      finding(
        'original-not-comparable',
        'open',
        "L'originale contenuto nel messaggio non è leggibile.",
        'The original inside the message cannot be read.',
      ),
    ];
  }
  const differences = differingFields(header, carried, brief ? CONTENT_FIELDS : []);
  const findings = fieldFindings(name, differences);
  const difference = brief
    ? await differingPart(original, postacert, crypto)
    : await differingBody(original.slice(header.bodyOffset), postacert.slice(carried.bodyOffset), crypto);
  if (difference !== undefined) {
    findings.unshift(
      finding(
        'original-differs',
        'refutes',
        `Il file ${name} non è l'originale: ${difference.it}.`,
        `The file ${name} is not the original: ${difference.en}.`,
      ),
    );
  } else if (findings.length === 0) {
    findings.push(brief ? sameHashes(name) : same(name));
  }
  return findings;
}

const same = (name: string): Finding =>
  finding(
    'original-same',
    'holds',
    `Il file ${name} è l'originale contenuto nel messaggio: stesso corpo byte per byte, stessa intestazione salvo i campi che il gestore cambia (Message-ID, X-Riferimento-Message-ID, Received, Return-Path).`,
    `The file ${name} is the original inside the message: same body byte for byte, same header but for the fields the gestore changes (Message-ID, X-Riferimento-Message-ID, Received, Return-Path).`,
  );

const sameHashes = (name: string): Finding =>
  finding(
    'original-same-hashes',
    'holds',
    `Il file ${name} corrisponde alla ricevuta breve: stessi testi, e ogni allegato ha l'impronta SHA-1 che la ricevuta riporta.`,
    `The file ${name} matches the brief receipt: same texts, and every attachment has the SHA-1 hash the receipt gives.`,
  );

// ------------------------------------------------------------------------------------------------------------ header

/** Names of fields whose values differ, in lower case. */
function differingFields(original: Header, carried: Header, apart: readonly string[]): string[] {
  const ignored = [...CHANGED_ON_THE_WAY, ...apart];
  const names = new Set(
    [...original.fields, ...carried.fields]
      .map(({ name }) => name.toLowerCase())
      .filter((name) => !ignored.includes(name)),
  );
  const values = (header: Header, name: string): string =>
    header
      .all(name)
      .map(({ raw }) => raw)
      .join('\n');
  return [...names].filter((name) => values(original, name) !== values(carried, name));
}

function fieldFindings(file: string, fields: readonly string[]): Finding[] {
  if (fields.length === 0) return [];
  const telling = fields.filter((field) => TELLING.includes(field));
  if (telling.length > 0) {
    return [
      finding(
        'original-differs',
        'refutes',
        `Il file ${file} non è l'originale: l'intestazione differisce nei campi ${fields.join(', ')}.`,
        `The file ${file} is not the original: the header differs in the fields ${fields.join(', ')}.`,
      ),
    ];
  }
  return [
    finding(
      'original-header-differs',
      'open',
      `Il file ${file} ha il contenuto dell'originale, ma l'intestazione differisce nei campi ${fields.join(', ')} (campi di servizio, spesso aggiunti dal programma che conserva la copia).`,
      `The file ${file} has the content of the original, but the header differs in the fields ${fields.join(', ')} (often added by the program that keeps the copy).`,
    ),
  ];
}

// -------------------------------------------------------------------------------------------------------------- body

interface Difference {
  readonly it: string;
  readonly en: string;
}

const digestOf = async (rope: Rope, crypto: CryptoPort): Promise<string> =>
  hexOf((await crypto.digests(['sha256'], rope.chunks())).sha256);

async function differingBody(
  original: Rope,
  carried: Rope,
  crypto: CryptoPort,
): Promise<Difference | undefined> {
  const wanted = await digestOf(carried, crypto);
  // A file whose last line is not ended gets its end when it is sent (RFC 5321 4.1.1.4).
  for (const candidate of [original, Rope.of(original, '\r\n')]) {
    if (candidate.length === carried.length && (await digestOf(candidate, crypto)) === wanted)
      return undefined;
  }
  return { it: 'il corpo è diverso', en: 'the body differs' };
}

/** The first part of a brief original that the full one does not have (RFC 6109 3.3.2.2, decisions 27). */
async function differingPart(
  original: Rope,
  carried: Rope,
  crypto: CryptoPort,
): Promise<Difference | undefined> {
  const shortened = await briefForm(original);
  const ours = await leavesOf(shortened);
  const theirs = await leavesOf(carried);
  if (ours.length !== theirs.length)
    return { it: 'il numero delle parti è diverso', en: 'the number of parts differs' };
  for (const [index, part] of theirs.entries()) {
    const mine = ours[index];
    if (mine === undefined) continue;
    const name = part.fileName ?? `${index + 1}`;
    if (part.fileName !== mine.fileName) {
      return {
        it: `la parte "${name}" nel file si chiama "${mine.fileName ?? '-'}"`,
        en: `the part "${name}" is called "${mine.fileName ?? '-'}" in the file`,
      };
    }
    const hash = await hashIn(carried, part);
    const body = shortened.slice(mine.bodyStart, mine.end);
    const equal =
      hash === undefined
        ? (await differingBody(body, carried.slice(part.bodyStart, part.end), crypto)) === undefined
        : hash === (await hashIn(shortened, mine));
    if (!equal) return { it: `la parte "${name}" è diversa`, en: `the part "${name}" differs` };
  }
  return undefined;
}
