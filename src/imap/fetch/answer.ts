/**
 * One message's FETCH response. Everything that can fail is done before its first octet is written: an item is words, or a
 * rope whose blobs have been proved.
 */
import { ConnectionLost, messageOf } from '../../listener/index.js';
import { decodeBody, Header, MimeError, transferEncoding } from '../../mime/index.js';
import { Rope } from '../../rope/index.js';
import type { SummaryPart } from '../../storage/index.js';
import {
  type FetchItem,
  imapString,
  type Partial,
  utf8Octets,
  writeDateTime,
} from '../../wire/imap/index.js';
import type { Context } from '../command.js';
import { refusals } from '../refusals.js';
import type { Selected } from '../selected.js';
import { after, type Soon } from '../soon.js';
import { headerFields } from './header-fields.js';
import type { MessageData } from './message.js';
import { partOf, rangeOf } from './section.js';

/** A literal of a response; `mark` stands before its brace. */
interface Octets {
  readonly name: string;
  readonly mark: '' | '~';
  readonly rope: Rope;
}

/** Words are Latin-1, and may hold a literal. */
type Said = string | Octets;

/** Says one item of any message. */
type Speaker = (message: MessageData, selected: Selected) => Soon<Said>;

/** What a FETCH asks of every message. */
export interface Asked {
  readonly speakers: readonly Speaker[];
  /** Parts of the summary that it needs. */
  readonly parts: readonly SummaryPart[];
}

/** Decoded octets of one part (RFC 3516): in memory, so bounded. */
const DECODED = 64 * 1024 * 1024;

export const asking = (items: readonly FetchItem[]): Asked => ({
  speakers: items.map(speaker),
  parts: items.flatMap(partsOf),
});

/** @returns what has to be waited for, when it does */
export function answerFetch(
  message: MessageData,
  { speakers }: Asked,
  selected: Selected,
  context: Context,
): Promise<void> | undefined {
  const begin = `* ${selected.view.sequenceOf(message.row.uid)} FETCH (`;
  const said = speakers.map((say) => say(message, selected));
  if (!said.every((one) => typeof one === 'string')) return answerLater(begin, said, context);
  context.write(`${begin}${said.join(' ')})\r\n`);
  return context.flow();
}

async function answerLater(begin: string, coming: readonly Soon<Said>[], context: Context): Promise<void> {
  const said = await Promise.all(coming);
  let words = begin;
  let space = '';
  for (const one of said) {
    words += space;
    space = ' ';
    if (typeof one === 'string') {
      words += one;
      continue;
    }
    const { name, mark, rope } = one;
    context.write(`${words}${name} ${mark}{${rope.length}}\r\n`);
    words = '';
    await writeRope(rope, context);
  }
  context.write(`${words})\r\n`);
  await context.flow();
}

async function writeRope(rope: Rope, context: Context): Promise<void> {
  try {
    await writeSegments(rope, context);
  } catch (error) {
    // The client was told how many octets come: it must not take an answer for some of them.
    throw error instanceof ConnectionLost ? error : new ConnectionLost(messageOf(error), { cause: error });
  }
}

/** What is in memory is written as it is, the rest as it is read. */
async function writeSegments(rope: Rope, context: Context): Promise<void> {
  for (const segment of rope.segments) {
    if ('bytes' in segment) {
      context.write(segment.bytes);
      await context.flow();
      continue;
    }
    for await (const chunk of Rope.of(segment).chunks()) {
      context.write(chunk);
      await context.flow();
    }
  }
}

function partsOf(item: FetchItem): readonly SummaryPart[] {
  switch (item.kind) {
    case 'ENVELOPE':
      return ['envelope'];
    case 'BODY':
      return ['body'];
    case 'BODYSTRUCTURE':
      return ['bodyStructure'];
    case 'PREVIEW':
      return ['preview'];
    case 'BINARY[]':
    case 'BINARY.SIZE[]':
      return ['parts'];
    case 'BODY[]': {
      const { part, text } = item.section;
      if (part.length > 0 || text.kind === 'text') return ['parts'];
      return text.kind === 'all' ? [] : ['header'];
    }
    default:
      return [];
  }
}

const summarySpeaker =
  (name: string, part: 'envelope' | 'body' | 'bodyStructure'): Speaker =>
  (message) =>
    after(message.summary(part), (text) => `${name} ${text}`);

function speaker(item: FetchItem): Speaker {
  switch (item.kind) {
    case 'UID':
      return ({ row }) => `UID ${row.uid}`;
    case 'FLAGS':
      return ({ row }, selected) => `FLAGS (${selected.flagsOf(row)})`;
    case 'MODSEQ':
      return ({ row }) => `MODSEQ (${row.modseq})`;
    case 'INTERNALDATE':
      return ({ row }) => `INTERNALDATE ${writeDateTime(row.internalDate)}`;
    case 'SAVEDATE':
      return ({ row }) => `SAVEDATE ${writeDateTime(row.savedAt)}`;
    case 'RFC822.SIZE':
      return ({ row }) => `RFC822.SIZE ${row.size}`;
    case 'EMAILID':
      return ({ row }) => `EMAILID (M${row.contentId})`;
    case 'THREADID':
      return () => 'THREADID NIL';
    case 'ENVELOPE':
      return summarySpeaker('ENVELOPE', 'envelope');
    case 'BODY':
      return summarySpeaker('BODY', 'body');
    case 'BODYSTRUCTURE':
      return summarySpeaker('BODYSTRUCTURE', 'bodyStructure');
    case 'PREVIEW':
      return async (message) => `PREVIEW ${imapString(utf8Octets(await message.summary('preview')))}`;
    case 'BODY[]':
      return bodySpeaker(item);
    case 'BINARY[]':
      return (message) => sayBinary(item, message);
    case 'BINARY.SIZE[]':
      return async (message) =>
        `BINARY.SIZE[${item.part.join('.')}] ${(await decodedPart(message, item.part))?.length ?? 0}`;
  }
}

const all = (block: string): string => block;

function bodySpeaker(item: Extract<FetchItem, { kind: 'BODY[]' }>): Speaker {
  const { section, partial, name } = item;
  const { part, text } = section;
  if (part.length === 0 && text.kind === 'all')
    return async (message) => ({
      name,
      mark: '',
      rope: cut(await (partial === undefined ? message.whole() : message.rope()), partial),
    });
  const wanted = text.kind === 'header-fields' ? headerFields(text.names, text.not) : all;
  const literal = (block: string): string => {
    const octets = wanted(block);
    const some = partial === undefined ? octets : octets.slice(partial.from, partial.from + partial.length);
    return `${name} {${some.length}}\r\n${some}`;
  };
  if (part.length === 0 && text.kind !== 'text') return (message) => after(message.header(), literal);
  return async (message) => {
    const range = rangeOf(await message.layout(), section);
    if (range === undefined) return `${name} NIL`;
    const slice = (await message.rope()).slice(...range);
    if (text.kind !== 'header-fields') return { name, mark: '', rope: cut(slice, partial) };
    return literal((await slice.bytes()).toString('latin1'));
  };
}

async function sayBinary(
  item: Extract<FetchItem, { kind: 'BINARY[]' }>,
  message: MessageData,
): Promise<Said> {
  const name = `BINARY[${item.part.join('.')}]${item.partial === undefined ? '' : `<${item.partial.from}>`}`;
  const bytes = await decodedPart(message, item.part);
  if (bytes === undefined) return `${name} NIL`;
  const rope = cut(Rope.of(bytes), item.partial);
  return { name, mark: bytes.includes(0) ? '~' : '', rope };
}

/** @throws ImapError UNKNOWN-CTE */
async function decodedPart(message: MessageData, part: readonly number[]): Promise<Buffer | undefined> {
  const place = partOf(await message.layout(), part);
  if (place === undefined) return undefined;
  const rope = await message.rope();
  // RFC 3516 4.2: without a part it is the message as it stands.
  if (part.length === 0) return rope.bytes(DECODED);
  const header = new Header(await rope.slice(...place.header).bytes());
  const encoding = transferEncoding(header.raw('content-transfer-encoding'));
  if (!KNOWN.has(encoding)) throw refusals.unknownEncoding();
  try {
    return await decodeBody(rope.slice(...place.body), encoding, DECODED);
  } catch (error) {
    if (error instanceof MimeError) throw refusals.tooLarge();
    throw error;
  }
}

const KNOWN = new Set(['', '7bit', '8bit', 'binary', 'base64', 'quoted-printable']);

const cut = (rope: Rope, partial: Partial | undefined): Rope =>
  partial === undefined ? rope : rope.slice(partial.from, partial.from + partial.length);
