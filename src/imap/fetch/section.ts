/** Which octets of a message a section names (RFC 9051 6.4.5). Offsets count from the message's first octet. */
import type { Layout } from '../../mailstore/index.js';
import type { BodySection, PartPath } from '../../wire/imap/index.js';

/** [from, to). */
export type Range = readonly [from: number, to: number];

/** What a path leads to: a part, or the body of a message that is no multipart under the number 1. */
interface Place {
  readonly layout: Layout;
  /** The message whose part it is, when it is that message's only body. */
  readonly only: boolean;
}

/** Undefined when there is no such part; `fields` when only some of the header's fields are wanted. */
export function rangeOf(root: Layout, { part, text }: BodySection): Range | undefined {
  if (part.length === 0) {
    if (text.kind === 'all') return [root[0], root[2]];
    return text.kind === 'text' ? [root[1], root[2]] : [root[0], root[1]];
  }
  const place = placeOf(root, part);
  if (place === undefined) return undefined;
  const [start, bodyStart, end, , message] = place.layout;
  if (text.kind === 'all') return [bodyStart, end];
  if (text.kind === 'mime') return [start, bodyStart];
  if (message === null) return undefined;
  return text.kind === 'text' ? [message[1], message[2]] : [message[0], message[1]];
}

/** A part's header and body; undefined when there is no such part. */
export function partOf(root: Layout, part: PartPath): { header: Range; body: Range } | undefined {
  const layout = part.length === 0 ? root : placeOf(root, part)?.layout;
  if (layout === undefined) return undefined;
  return { header: [layout[0], layout[1]], body: [layout[1], layout[2]] };
}

function placeOf(root: Layout, path: PartPath): Place | undefined {
  const [first, ...deeper] = path;
  let place = first === undefined ? undefined : inMessage(root, first);
  for (const number of deeper) {
    if (place === undefined) return undefined;
    const message: Layout | null = place.layout[4];
    if (message !== null) place = inMessage(message, number);
    else place = place.only ? undefined : partAt(place.layout, number);
  }
  return place;
}

/** A part of a message: of a multipart one, or under 1 its only body. */
const inMessage = (message: Layout, number: number): Place | undefined =>
  partAt(message, number) ??
  (message[3].length === 0 && number === 1 ? { layout: message, only: true } : undefined);

const partAt = (multipart: Layout, number: number): Place | undefined => {
  const layout = multipart[3][number - 1];
  return layout === undefined ? undefined : { layout, only: false };
};
