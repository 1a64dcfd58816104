/** Structures taken apart and put together again, as an attacker does. */
import assert from 'node:assert/strict';
import { CmsError } from '../../src/smime/index.js';
import { children, type Element, encoded, readWhole } from '../../src/smime/read/asn1.js';
import { der } from '../../src/smime/read/der.js';

export type Bytes = Uint8Array;

/** An element given by the octets of its identifier, its length and its content. */
export const octets = (...bytes: readonly number[]): Bytes => Uint8Array.from(bytes);
export const joined = (...pieces: readonly Bytes[]): Bytes => Buffer.concat(pieces);
export const times = (count: number, piece: Bytes): Bytes => Buffer.alloc(count * piece.length, piece);

/** The element at a path of member numbers. */
export function at(bytes: Bytes, path: readonly number[]): Element {
  return path.reduce<Element>((element, index) => {
    const child = children(element)[index];
    assert.ok(child, `no member ${index} in ${path}`);
    return child;
  }, readWhole(bytes));
}

/** The structure with other octets in the place of one element; what holds it gets the lengths that fit. */
export function replaced(bytes: Bytes, path: readonly number[], change: (old: Element) => Bytes): Bytes {
  const rebuild = (element: Element, [index, ...rest]: readonly number[]): Bytes => {
    if (index === undefined) return change(element);
    const members = children(element).map((child, place) =>
      place === index ? rebuild(child, rest) : encoded(child),
    );
    return der(element.tag, ...members);
  };
  return rebuild(readWhole(bytes), path);
}

/** A constructed element with more members behind its own. */
export const withMore =
  (...more: readonly Bytes[]) =>
  (old: Element): Bytes =>
    der(old.tag, ...children(old).map(encoded), ...more);

/** Puts octets in an element's place. */
export const by = (bytes: Bytes) => (): Bytes => bytes;

/** What a reader says of it: a code of CmsError, or `read`. Any other error is a crash. */
export function codeOf(read: () => unknown): string {
  try {
    read();
    return 'read';
  } catch (error) {
    assert.ok(error instanceof CmsError, error instanceof Error ? error.stack : String(error));
    return error.code;
  }
}
