import assert from 'node:assert/strict';
import {
  CommandReader,
  type Decision,
  type FetchItem,
  ImapSyntaxError,
  imapString,
  type Literal,
  membersOf,
  type Piece,
  readCharset,
  readDateTime,
  readFetchItems,
  readMailboxName,
  readReturn,
  readSearchKeys,
  readSequenceSet,
  Scanner,
  type SearchKey,
  type SequenceSet,
  writeDateTime,
  writeMailboxName,
  writeSet,
} from '../../../src/wire/imap/index.js';
import { readAll } from '../../wire/imap-reading.js';
import { tolerated } from '../expect.js';
import { commandWords } from '../imap-words.js';
import { ownPieces } from '../socket.js';
import type { Target } from '../target.js';

const LIMIT = 2048;
const decide = ({ size, binary }: Literal): Decision => (size > LIMIT ? 'skip' : binary ? 'stream' : 'keep');

function commandsOf(input: Buffer): (readonly Piece[])[] {
  const reader = new CommandReader();
  const commands: (readonly Piece[])[] = [];
  reader.push(input);
  for (let reading = reader.next({ command: LIMIT }); reading !== undefined; ) {
    if (reading.kind === 'literal') reader.decide(decide(reading.literal));
    if (reading.kind === 'command') commands.push(reading.pieces);
    reading = reader.next({ command: LIMIT });
  }
  return commands;
}

/** What a grammar reads of a command's arguments; undefined where it refuses them. */
function argument<T>(pieces: readonly Piece[], read: (scanner: Scanner) => T): T | undefined {
  return tolerated(() => {
    const scanner = new Scanner(pieces);
    scanner.tag();
    scanner.space();
    scanner.keyword();
    scanner.space();
    return read(scanner);
  }, ImapSyntaxError);
}

/** What a grammar reads of octets that were written here: nothing may be left, and nothing is refused. */
function readBack<T>(written: string, read: (scanner: Scanner) => T): T {
  const [pieces = [], ...more] = commandsOf(Buffer.from(`${written}\r\n`, 'latin1'));
  assert.equal(more.length, 0, 'a line end that is none of a literal');
  const scanner = new Scanner(pieces);
  const value = read(scanner);
  scanner.end();
  return value;
}

/** The name that FETCH gives back names the same section (RFC 9051 7.5.2). */
function checkItems(items: readonly FetchItem[]): void {
  for (const item of items) {
    if (item.kind !== 'BODY[]' || !item.name.startsWith('BODY[')) continue;
    const asked = item.name.replace(/<([0-9]+)>$/, `<$1.${item.partial?.length ?? 1}>`);
    if (asked.length > LIMIT) continue;
    const [again] = readBack(asked, readFetchItems);
    assert.equal(again?.kind === 'BODY[]' ? again.name : again?.kind, item.name);
  }
}

const KNOWN = [1, 2, 3, 5, 8, 13, 4000, 2 ** 32 - 2];

/** Against what RFC 9051 9 says of a seq-range, read literally. */
function checkSet(set: SequenceSet): void {
  if (set.kind === 'saved') return;
  const last = KNOWN.at(-1) ?? 0;
  const spans = set.ranges.map((range) => range.map((number) => (number === '*' ? last : number)));
  const named = (uid: number): boolean =>
    spans.some(([from = 0, to = 0]) => uid >= Math.min(from, to) && uid <= Math.max(from, to));
  const members = membersOf(set.ranges, KNOWN);
  assert.deepEqual(members, KNOWN.filter(named));
  if (members.length === 0) return;
  const again = readBack(writeSet(members), readSequenceSet);
  assert.deepEqual(again.kind === 'ranges' && membersOf(again.ranges, KNOWN), members);
}

/** @returns keys */
function checkKey(key: SearchKey, level = 0): number {
  assert.ok(level <= 60, 'keys too deep');
  const inside = key.kind === 'not' ? [key.key] : key.kind === 'and' || key.kind === 'or' ? key.keys : [];
  const keys = inside.reduce((sum, each) => sum + checkKey(each, level + 1), 1);
  assert.ok(keys <= 2100, 'too many keys');
  return keys;
}

function checkName(octets: Buffer, utf8: boolean): void {
  const name = readMailboxName(octets, utf8);
  if (name.includes('\ufffd')) return;
  const written = writeMailboxName(name, utf8);
  if (written.length > LIMIT) return;
  assert.equal(
    readMailboxName(
      readBack(written, (scanner) => scanner.astring()),
      utf8,
    ),
    name,
  );
}

function checkString(octets: Buffer): void {
  const text = octets.subarray(0, LIMIT - 8).toString('latin1');
  const again = readBack(imapString(text), (scanner) => scanner.string());
  assert.equal(again.toString('latin1'), text.replaceAll('\0', ' '));
}

function checkCommand(pieces: readonly Piece[]): void {
  const items = argument(pieces, (scanner) => {
    checkSet(readSequenceSet(scanner));
    scanner.space();
    return readFetchItems(scanner);
  });
  if (items !== undefined) checkItems(items);
  const key = argument(pieces, (scanner) => {
    readReturn(scanner);
    readCharset(scanner);
    return readSearchKeys(scanner);
  });
  if (key !== undefined) checkKey(key);
  const octets = argument(pieces, (scanner) => scanner.astring());
  if (octets !== undefined) {
    checkName(octets, false);
    checkName(octets, true);
    checkString(octets);
  }
  const at = argument(pieces, readDateTime);
  if (at !== undefined) assert.equal(readBack(writeDateTime(at), readDateTime), at);
  argument(pieces, (scanner) => scanner.list(() => scanner.nstring(), { empty: true }));
}

export const target: Target = {
  corpus: ['imap'],
  covers: ['src/wire/imap/'],
  words: commandWords,
  longest: 8192,
  run(input) {
    // However the octets come, they are the same commands.
    const options = { limit: LIMIT, decide };
    assert.deepEqual(readAll(ownPieces(input), options), readAll([input], options));
    for (const pieces of commandsOf(input)) checkCommand(pieces);
  },
};
