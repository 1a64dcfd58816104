import type { Store } from '../storage/index.js';

/** Who wants to know of changes to which mailbox: one listener on the store, however many sessions there are. */
export class Watches {
  readonly #byMailbox = new Map<number, Set<() => void>>();
  readonly #store: Pick<Store, 'onCommit'>;
  #listening = false;

  constructor(store: Pick<Store, 'onCommit'>) {
    this.#store = store;
  }

  add(mailboxId: number, changed: () => void): () => void {
    this.#listen();
    const watching = this.#byMailbox.get(mailboxId) ?? new Set();
    this.#byMailbox.set(mailboxId, watching);
    watching.add(changed);
    return () => {
      watching.delete(changed);
      if (watching.size === 0 && this.#byMailbox.get(mailboxId) === watching)
        this.#byMailbox.delete(mailboxId);
    };
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#store.onCommit(({ mailboxes, elsewhere }) => {
      const touched = elsewhere ? this.#byMailbox.keys() : mailboxes;
      for (const mailboxId of touched) for (const changed of this.#byMailbox.get(mailboxId) ?? []) changed();
    });
  }
}
