import { domainOf, isValidAddress } from '../pec/index.js';
import type { Mailbox, OrdinaryRule, Store, WatchedSender } from '../storage/index.js';
import { AccountError } from './errors.js';
import { explained } from './explained.js';

export interface MailRulesOptions {
  readonly store: Pick<Store, 'read' | 'write'>;
  /** Epoch milliseconds; the system's clock if not given. */
  readonly now?: (() => number) | undefined;
}

/** Of messages from `sender` to `mailbox`, `notified` is told. */
export interface Watch {
  readonly mailbox: string;
  readonly sender: string;
  readonly notified: string;
}

/** What a mailbox does with ordinary mail, and who is told of certified mail that comes to it. */
export class MailRules {
  readonly #store: Pick<Store, 'read' | 'write'>;
  readonly #now: () => number;

  constructor({ store, now }: MailRulesOptions) {
    this.#store = store;
    this.#now = now ?? Date.now;
  }

  /**
   * @param rule null: that of the gestore (`policy.ordinary_mail`)
   * @throws AccountError 'not-found', 'not-allowed' for the gestore's own, 'bad-address', 'bad-forward' to a domain managed here.
   */
  async setOrdinaryRule(address: string, rule: OrdinaryRule | null): Promise<Mailbox> {
    if (rule?.kind === 'forward') await this.#requireElsewhere(rule.to);
    const mailbox = await this.#store.read('findMailbox', { address });
    if (mailbox?.kind === 'service') {
      throw new AccountError('not-allowed', `${address} is the gestore's own: it takes no ordinary mail`);
    }
    return explained(this.#store.write('setMailbox', { address, ordinary: rule }), { mailbox: 'not-found' });
  }

  /** @throws AccountError 'bad-address', 'bad-forward' to a domain managed here, 'not-found', 'taken' when it stands already or there are 100. */
  async watch(watch: Watch): Promise<WatchedSender> {
    requireAddress(watch.sender);
    await this.#requireElsewhere(watch.notified);
    return explained(this.#store.write('watchSender', { ...watch, now: this.#now() }), {
      mailbox: 'not-found',
      'watched-sender': 'taken',
    });
  }

  /** @throws AccountError 'not-found'. */
  async unwatch(watch: Watch): Promise<void> {
    await explained(this.#store.write('unwatchSender', watch), {
      mailbox: 'not-found',
      'watched-sender': 'not-found',
    });
  }

  /** @throws AccountError 'not-found'. */
  watched(mailbox: string): Promise<WatchedSender[]> {
    return explained(this.#store.read('watchedSenders', { mailbox }), { mailbox: 'not-found' });
  }

  /** Ordinary mail must not come back to a certified mailbox: it would be refused there, or go round. */
  async #requireElsewhere(address: string): Promise<void> {
    requireAddress(address);
    const domain = domainOf(address);
    if ((await this.#store.read('findDomain', { name: domain })) === undefined) return;
    throw new AccountError(
      'bad-forward',
      `${address} is managed here: ordinary mail goes to an ordinary address elsewhere`,
    );
  }
}

function requireAddress(address: string): void {
  if (!isValidAddress(address)) throw new AccountError('bad-address', `"${address}" is not an address`);
}
