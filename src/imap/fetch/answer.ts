/**
 * One message's FETCH response. Everything that can fail is done before its first octet is written: an item is words, or a
 * rope whose blobs have been proved.
 */
import { ConnectionLost, messageOf } from '../../listener/index.js';
import { decodeBody, Header, MimeError, transferEncoding } from '../../mime/index.js';
import { Rope } from '../../rope/index.js';
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
import { headerFields } from './header-fields.js';
import type { MessageData } from './message.js';
import { partOf, rangeOf } from './section.js';

/** A literal of a response; `mark` stands before its brace. */
interface Octets {
  readonly name: string;
  readonly mark: '' | '~';
  readonly rope: Rope;
}

type Said = string | Octets;

/** Decoded octets of one part (RFC 3516): in memory, so bounded. */
const DECODED = 64 * 1024 * 1024;

export async function answerFetch(
  message: MessageData,
  items: readonly FetchItem[],
  selected: Selected,
  context: Context,
): Promise<void> {
  const said: Said[] = [];
  for (const item of items) said.push(await say(item, message, selected));
  context.write(`* ${selected.view.sequenceOf(message.row.uid)} FETCH (`);
  let first = true;
  for (const one of said) {
    const space = first ? '' : ' ';
    first = false;
    if (typeof one === 'string') context.write(space + one);
    else await writeOctets(space, one, context);
  }
  context.write(')\r\n');
  await context.flow();
}

async function writeOctets(space: string, { name, mark, rope }: Octets, context: Context): Promise<void> {
  context.write(`${space}${name} ${mark}{${rope.length}}\r\n`);
  try {
    for await (const chunk of rope.chunks()) {
      context.write(chunk);
      await context.flow();
    }
  } catch (error) {
    // The client was told how many octets come: it must not take an answer for some of them.
    throw error instanceof ConnectionLost ? error : new ConnectionLost(messageOf(error), { cause: error });
  }
}

async function say(item: FetchItem, message: MessageData, selected: Selected): Promise<Said> {
  const { row } = message;
  switch (item.kind) {
    case 'UID':
      return `UID ${row.uid}`;
    case 'FLAGS':
      return `FLAGS (${selected.flagsOf(row)})`;
    case 'MODSEQ':
      return `MODSEQ (${row.modseq})`;
    case 'INTERNALDATE':
      return `INTERNALDATE ${writeDateTime(row.internalDate)}`;
    case 'SAVEDATE':
      return `SAVEDATE ${writeDateTime(row.savedAt)}`;
    case 'RFC822.SIZE':
      return `RFC822.SIZE ${row.size}`;
    case 'EMAILID':
      return `EMAILID (M${row.contentId})`;
    case 'THREADID':
      return 'THREADID NIL';
    case 'ENVELOPE':
      return `ENVELOPE ${(await message.summary()).envelope}`;
    case 'BODY':
      return `BODY ${(await message.summary()).body}`;
    case 'BODYSTRUCTURE':
      return `BODYSTRUCTURE ${(await message.summary()).bodyStructure}`;
    case 'PREVIEW':
      return `PREVIEW ${imapString(utf8Octets((await message.summary()).preview))}`;
    case 'BODY[]':
      return sayBody(item, message);
    case 'BINARY[]':
      return sayBinary(item, message);
    case 'BINARY.SIZE[]':
      return `BINARY.SIZE[${item.part.join('.')}] ${(await decodedPart(message, item.part))?.length ?? 0}`;
  }
}

async function sayBody(item: Extract<FetchItem, { kind: 'BODY[]' }>, message: MessageData): Promise<Said> {
  const { section, partial, name } = item;
  const { part, text } = section;
  if (part.length === 0 && text.kind === 'all')
    return {
      name,
      mark: '',
      rope: cut(await (partial === undefined ? message.whole() : message.rope()), partial),
    };
  if (part.length === 0 && (text.kind === 'header' || text.kind === 'header-fields')) {
    const header = await message.header();
    const block = text.kind === 'header' ? header : headerFields(header, text.names, text.not);
    return { name, mark: '', rope: cut(Rope.of(block), partial) };
  }
  const range = rangeOf(await message.layout(), section);
  if (range === undefined) return `${name} NIL`;
  const slice = (await message.rope()).slice(...range);
  if (text.kind !== 'header-fields') return { name, mark: '', rope: cut(slice, partial) };
  const block = headerFields(await slice.bytes(), text.names, text.not);
  return { name, mark: '', rope: cut(Rope.of(block), partial) };
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
