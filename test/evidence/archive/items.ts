import { type ArchiveLimits, archiveLimits, type Item, openFile } from '../../../src/evidence/index.js';
import { Rope } from '../../../src/rope/index.js';

/** All that a file holds. */
export async function itemsOf(
  bytes: Buffer | Rope,
  { name = 'a', named = true, ...limits }: Partial<ArchiveLimits> & { name?: string; named?: boolean } = {},
): Promise<Item[]> {
  const items: Item[] = [];
  const file = bytes instanceof Rope ? bytes : Rope.of(bytes);
  for await (const item of openFile({ name, file, named }, { ...archiveLimits, ...limits })) items.push(item);
  return items;
}

/** Items in a line each: the name, and what it is. */
export const shown = (items: readonly Item[]): string[] =>
  items.map((item) => `${item.name}: ${item.kind === 'odd' ? item.oddity : item.kind}`);

/** The messages among them, as text. */
export const textsOf = (items: readonly Item[]): string[] =>
  items.flatMap((item) => (item.kind === 'message' ? [item.bytes.toString('latin1')] : []));

/** A message of no account. */
export const mail = (subject = 'x', ...body: string[]): Buffer =>
  Buffer.from([`Subject: ${subject}`, 'From: a@b.example', '', ...body, ''].join('\r\n'), 'latin1');

/** A rope that gives its bytes so many at a time, as a file gives them. */
export function slowly(bytes: Buffer, step: number): Rope {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) parts.push(bytes.subarray(at, at + step));
  return Rope.of(...parts);
}
