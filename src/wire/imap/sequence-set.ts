import { ImapSyntaxError } from './errors.js';
import type { Scanner } from './scanner.js';

/** A number, or the largest in use. */
export type SequenceNumber = number | '*';

/** `2,4:7,9:*`, or `$`: what the last SEARCH saved (RFC 5182). */
export type SequenceSet =
  | { readonly kind: 'ranges'; readonly ranges: readonly (readonly [SequenceNumber, SequenceNumber])[] }
  | { readonly kind: 'saved' };

/** Ranges in one set: past it nobody means well. */
const RANGES = 20_000;
const LARGEST = 2 ** 32 - 1;

/** RFC 9051 9, sequence-set. */
export function readSequenceSet(scanner: Scanner): SequenceSet {
  if (scanner.takes('$')) return { kind: 'saved' };
  const ranges: [SequenceNumber, SequenceNumber][] = [];
  do {
    if (ranges.length >= RANGES) throw new ImapSyntaxError('The set is too long');
    const first = readSequenceNumber(scanner);
    ranges.push([first, scanner.takes(':') ? readSequenceNumber(scanner) : first]);
  } while (scanner.takes(','));
  return { kind: 'ranges', ranges };
}

/** One number of a message, or the largest in use (RFC 9051 9, seq-number). */
export function readSequenceNumber(scanner: Scanner): SequenceNumber {
  if (scanner.takes('*')) return '*';
  const number = scanner.number();
  if (number < 1 || number > LARGEST) throw new ImapSyntaxError('A number of the set is out of range');
  return number;
}

/**
 * The numbers of `known` (growing) that are in the set, growing. `*` is the last one; a range that lies past it still names it when
 * it has a `*` (RFC 9051 9, seq-range).
 */
export function membersOf(
  ranges: readonly (readonly [SequenceNumber, SequenceNumber])[],
  known: readonly number[],
): number[] {
  const last = known.at(-1);
  if (last === undefined) return [];
  const spans = ranges
    .map(([from, to]) => [from === '*' ? last : from, to === '*' ? last : to] as const)
    .map(([from, to]) => (from <= to ? [from, to] : [to, from]) as [number, number])
    .sort((one, other) => one[0] - other[0]);
  const found: number[] = [];
  let at = 0;
  for (const [from, to] of spans) {
    at = Math.max(at, lowerBound(known, from));
    for (; at < known.length; at += 1) {
      const value = known[at] ?? 0;
      if (value > to) break;
      found.push(value);
    }
  }
  return found;
}

/** Index of the first value that is at least `least`. */
export function lowerBound(values: readonly number[], least: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Numbers as a set, the shortest way (`1:4,7`). They need not be sorted: neighbours join where they stand. */
export function writeSet(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    const first = numbers[at] ?? 0;
    let end = at + 1;
    while (end < numbers.length && numbers[end] === first + (end - at)) end += 1;
    parts.push(end - at === 1 ? String(first) : `${first}:${first + (end - at) - 1}`);
    at = end;
  }
  return parts.join(',');
}
