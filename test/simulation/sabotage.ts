/** Faults to plant, each one a simulation must find: what it cannot see it does not hold anybody to. */
import type { Store } from '../../src/storage/index.js';
import type { Spoil } from './house.js';

type Write = Store['write'];

/** A store in which some writes go another way. */
function rewritten(
  store: Store,
  rewrite: (name: string, input: unknown) => Promise<unknown> | undefined,
): Store {
  // What comes back is what the operation of that name returns: the rewriting ends in one of that name.
  const write = ((name: string, input: unknown) =>
    rewrite(name, input) ??
    store.write(name as Parameters<Write>[0], input as Parameters<Write>[1])) as Write;
  return new Proxy(store, {
    get(target, key) {
      if (key === 'write') return write;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** A relay that takes what a dead process was sending for sent. */
export const forgetsItsLeases: Spoil = (store, { disk }) =>
  rewritten(store, (name) => {
    if (name !== 'releaseOwn') return undefined;
    disk.db.exec("delete from queue where state = 'leased'");
    return Promise.resolve({ released: 0 });
  });

/** A delivery point that does not know what it delivered before. */
export const deliversAgain: Spoil = (store, { disk }) =>
  rewritten(store, (name) => {
    if (name !== 'commitReception') return undefined;
    disk.db.exec("delete from reception; delete from receipt where direction = 'issued'");
    return undefined;
  });

/** An access point that writes the receipt after the message, in a transaction of its own. */
export const receiptApart: Spoil = (store) =>
  rewritten(store, (name, input) => {
    if (name !== 'commitSubmission') return undefined;
    const whole = input as Parameters<typeof store.write<'commitSubmission'>>[1];
    return store
      .write('commitSubmission', { ...whole, deposits: [], receipts: [] })
      .then(() => store.write('commitRefusal', { ...whole, events: [], queue: [] }));
  });
