/** SORT's order (RFC 5256 3; RFC 5957 for the display names). */
import type { Scanner } from '../../wire/imap/index.js';
import { refusals } from '../refusals.js';
import type { Sortable } from './find.js';

const CRITERIA = [
  'ARRIVAL',
  'CC',
  'DATE',
  'FROM',
  'SIZE',
  'SUBJECT',
  'TO',
  'DISPLAYFROM',
  'DISPLAYTO',
] as const;
type Criterion = (typeof CRITERIA)[number];

export interface Order {
  readonly by: Criterion;
  readonly reverse: boolean;
}

/** `(REVERSE DATE SUBJECT)` */
export function readOrder(scanner: Scanner): Order[] {
  return scanner.list(() => {
    let word = scanner.keyword();
    const reverse = word === 'REVERSE';
    if (reverse) {
      scanner.space();
      word = scanner.keyword();
    }
    const by = CRITERIA.find((criterion) => criterion === word);
    if (by === undefined) throw refusals.badArgument('Criterio sconosciuto / Unknown sort criterion');
    return { by, reverse };
  });
}

/** The display names come with a capability of their own (RFC 5957). */
export const usesOfOrder = (order: readonly Order[]): readonly string[] =>
  order.some(({ by }) => by === 'DISPLAYFROM' || by === 'DISPLAYTO') ? ['SORT=DISPLAY'] : [];

/** The date of a message: the one it names, else when it arrived (RFC 5256 2.2). */
export const dateOf = ({ keys, internalDate }: Sortable): number => keys.sent ?? internalDate;

/** Sorted; equal ones by their place in the folder. */
export function sorted(list: readonly Sortable[], order: readonly Order[]): Sortable[] {
  return [...list].sort((one, other) => {
    for (const { by, reverse } of order) {
      const step = compare(one, other, by);
      if (step !== 0) return reverse ? -step : step;
    }
    return one.uid - other.uid;
  });
}

function compare(one: Sortable, other: Sortable, by: Criterion): number {
  switch (by) {
    case 'ARRIVAL':
      return one.internalDate - other.internalDate;
    case 'DATE':
      return dateOf(one) - dateOf(other);
    case 'SIZE':
      return one.size - other.size;
    case 'SUBJECT':
      return text(one.keys.subject, other.keys.subject);
    case 'FROM':
      return text(one.keys.from, other.keys.from);
    case 'TO':
      return text(one.keys.to, other.keys.to);
    case 'CC':
      return text(one.keys.cc, other.keys.cc);
    case 'DISPLAYFROM':
      return text(one.keys.displayFrom, other.keys.displayFrom);
    case 'DISPLAYTO':
      return text(one.keys.displayTo, other.keys.displayTo);
  }
}

const text = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
