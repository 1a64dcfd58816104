import { randomBytes } from 'node:crypto';
import { addressKey, domainOf, isValidAddress, isValidDomain } from '../pec/index.js';
import type {
  Alias,
  Domain,
  Holder,
  Mailbox,
  MailboxState,
  ScramCredential,
  Store,
} from '../storage/index.js';
import type { Authentication } from './authentication.js';
import { AccountError } from './errors.js';
import { explained } from './explained.js';
import { type Attempt, Logins } from './logins.js';
import { hashNewPassword } from './password.js';
import type { ScramRequest, ScramStart } from './scram.js';
import { scramCredential } from './scram-keys.js';

export interface AccountsOptions {
  readonly store: Pick<Store, 'read' | 'write'>;
  /** Where notifications for the gestore go (decisions 23); no user may have it. */
  readonly serviceMailbox: string;
  /** Octets of a new mailbox. */
  readonly defaultQuota: number;
  /** False only where `testing` allows it. */
  readonly throttleLogins: boolean;
  /** The same after each start: salts of names that nobody has come from it (RFC 5802 9). If not given, one for this object. */
  readonly secret?: Uint8Array | undefined;
  /** Epoch milliseconds; the system's clock if not given. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds that never go back: setting the system clock must not lengthen a wait. */
  readonly monotonic?: (() => number) | undefined;
}

/** Local parts that belong to the gestore in every domain (decisions 23). */
const RESERVED = new Set(['posta-certificata', 'postmaster']);

/** Who has an address here, and who may log in. The command line uses it beside the running server. */
export class Accounts {
  readonly #store: Pick<Store, 'read' | 'write'>;
  readonly #serviceMailbox: string;
  readonly #defaultQuota: number;
  readonly #logins: Logins;
  readonly #now: () => number;

  constructor(options: AccountsOptions) {
    const { store, serviceMailbox, defaultQuota, throttleLogins, secret, now, monotonic } = options;
    this.#store = store;
    this.#serviceMailbox = addressKey(serviceMailbox);
    this.#defaultQuota = defaultQuota;
    this.#logins = new Logins({
      store,
      throttled: throttleLogins,
      secret: secret ?? randomBytes(32),
      monotonic: monotonic ?? (() => performance.now()),
    });
    this.#now = now ?? Date.now;
  }

  // --- domains and holders -----------------------------------------------------------------------------------

  /** @throws AccountError 'bad-domain', 'taken'. */
  async addDomain(name: string): Promise<Domain> {
    if (!isValidDomain(name)) {
      throw new AccountError(
        'bad-domain',
        `"${name}" is not a domain name: two ASCII labels or more, A-labels for an IDN`,
      );
    }
    return explained(this.#store.write('addDomain', { name, now: this.#now() }), { domain: 'taken' });
  }

  /** @throws AccountError 'not-found', 'not-empty' while addresses are in it. */
  async removeDomain(name: string): Promise<void> {
    await explained(this.#store.write('removeDomain', { name }), {
      domain: 'not-found',
      mailbox: 'not-empty',
    });
  }

  listDomains(): Promise<Domain[]> {
    return this.#store.read('listDomains', {});
  }

  findDomain(name: string): Promise<Domain | undefined> {
    return this.#store.read('findDomain', { name });
  }

  addHolder(name: string, taxCode: string | null = null): Promise<Holder> {
    return this.#store.write('addHolder', { name, taxCode, now: this.#now() });
  }

  listHolders(): Promise<Holder[]> {
    return this.#store.read('listHolders', {});
  }

  findHolder(id: number): Promise<Holder | undefined> {
    return this.#store.read('findHolder', { id });
  }

  // --- mailboxes ---------------------------------------------------------------------------------------------

  /**
   * Creates a user's mailbox with its standard folders.
   * @param options.quota octets
   * @throws AccountError 'bad-address', 'reserved', 'bad-password', 'bad-quota', 'unmanaged-domain', 'taken',
   *   'not-found' for the holder.
   */
  async addMailbox(
    address: string,
    password: string,
    options: { readonly holder?: number | undefined; readonly quota?: number | undefined } = {},
  ): Promise<Mailbox> {
    this.#requireFree(address);
    return this.#create(address, password, 'user', options);
  }

  /**
   * Creates the mailbox for the gestore's own notifications.
   * @param password none: nobody can log in to it until one is set
   * @throws AccountError as `addMailbox`.
   */
  addServiceMailbox(password?: string): Promise<Mailbox> {
    return this.#create(this.#serviceMailbox, password, 'service', {});
  }

  listMailboxes(domain?: string): Promise<Mailbox[]> {
    return this.#store.read('listMailboxes', { domain });
  }

  /** The mailbox an address leads to, its own or by an alias. */
  find(address: string): Promise<Mailbox | undefined> {
    return this.#store.read('findMailbox', { address });
  }

  /** @throws AccountError 'bad-password', 'not-found'. */
  async setPassword(address: string, password: string): Promise<Mailbox> {
    return this.#change({ address, ...(await credentialsOf(password)) });
  }

  /** @param quota octets. @throws AccountError 'bad-quota', 'not-found'. */
  async setQuota(address: string, quota: number): Promise<Mailbox> {
    requireQuota(quota);
    return this.#change({ address, quota });
  }

  /** @throws AccountError 'not-found'. */
  setHolder(address: string, holderId: number | null): Promise<Mailbox> {
    return this.#change({ address, holderId });
  }

  /** The holder can read, not send, and nothing is delivered. @throws AccountError 'not-found', 'not-allowed'. */
  suspend(address: string): Promise<Mailbox> {
    return this.#setState(address, 'suspended');
  }

  /** @throws AccountError 'not-found'. */
  resume(address: string): Promise<Mailbox> {
    return this.#setState(address, 'active');
  }

  /** The holder can no longer log in. @throws AccountError 'not-found', 'not-allowed'. */
  revoke(address: string): Promise<Mailbox> {
    return this.#setState(address, 'revoked');
  }

  /**
   * Hides an IMAP capability from the mailbox, or shows it again; sessions see it from their next login on.
   * @returns the mailbox's own address
   * @throws AccountError 'not-found'.
   */
  async setCapability(address: string, capability: string, hidden: boolean): Promise<string> {
    const change = this.#store.write('setCapability', { address, capability, hidden });
    return (await explained(change, { mailbox: 'not-found' })).address;
  }

  /** The IMAP capabilities that are hidden from a mailbox. */
  hiddenCapabilities(mailboxId: number): Promise<string[]> {
    return this.#store.read('hiddenCapabilities', { mailboxId });
  }

  // --- aliases -----------------------------------------------------------------------------------------------

  /** @throws AccountError 'bad-address', 'reserved', 'unmanaged-domain', 'taken', 'not-found' for the mailbox. */
  async addAlias(address: string, mailbox: string): Promise<Alias> {
    this.#requireFree(address);
    return explained(this.#store.write('addAlias', { address, mailbox, now: this.#now() }), {
      domain: 'unmanaged-domain',
      alias: 'taken',
      mailbox: 'not-found',
    });
  }

  /** @throws AccountError 'not-found'. */
  async removeAlias(address: string): Promise<void> {
    await explained(this.#store.write('removeAlias', { address }), { alias: 'not-found' });
  }

  listAliases(): Promise<Alias[]> {
    return this.#store.read('listAliases', {});
  }

  // --- logging in --------------------------------------------------------------------------------------------

  /**
   * Checks a login. Takes the same time whether or not the user is there.
   * @throws StoreUnavailable when the account cannot be looked up: answer a temporary error.
   */
  authenticate(attempt: Attempt): Promise<Authentication> {
    return this.#logins.authenticate(attempt);
  }

  /** A login whose password is not sent. Asks the same of everybody, known or not. @throws StoreUnavailable */
  beginScram(request: ScramRequest): Promise<ScramStart> {
    return this.#logins.beginScram(request);
  }

  // --- in common ---------------------------------------------------------------------------------------------

  #requireFree(address: string): void {
    const key = addressKey(address);
    const local = key.slice(0, Math.max(0, key.lastIndexOf('@')));
    if (RESERVED.has(local) || key === this.#serviceMailbox) {
      throw new AccountError('reserved', `${address} belongs to the gestore and cannot be given to a user`);
    }
  }

  async #create(
    address: string,
    password: string | undefined,
    kind: Mailbox['kind'],
    { holder, quota }: { readonly holder?: number | undefined; readonly quota?: number | undefined },
  ): Promise<Mailbox> {
    await this.#requireManaged(address);
    if (quota !== undefined) requireQuota(quota);
    const credentials = password === undefined ? { passwordHash: '' } : await credentialsOf(password);
    return explained(
      this.#store.write('addMailbox', {
        address,
        ...credentials,
        holderId: holder ?? null,
        quota: quota ?? this.#defaultQuota,
        kind,
        now: this.#now(),
      }),
      { domain: 'unmanaged-domain', mailbox: 'taken', holder: 'not-found' },
    );
  }

  /** Said before the password is hashed; the store checks it again. */
  async #requireManaged(address: string): Promise<void> {
    if (!isValidAddress(address)) {
      throw new AccountError(
        'bad-address',
        `"${address}" is not an address: ASCII letters, digits and .!#$%&'*+/=?^_\`{|}~- before the "@", a domain name after it`,
      );
    }
    const domain = domainOf(address);
    if ((await this.findDomain(domain)) !== undefined) return;
    throw new AccountError(
      'unmanaged-domain',
      `domain ${domain} is not managed here: add it first (domain add ${domain})`,
    );
  }

  async #setState(address: string, state: MailboxState): Promise<Mailbox> {
    const mailbox = await this.find(address);
    if (mailbox?.kind === 'service' && state !== 'active') {
      throw new AccountError(
        'not-allowed',
        `${address} is the gestore's own: other gestori send it their notifications`,
      );
    }
    return this.#change({ address, state });
  }

  #change(change: {
    readonly address: string;
    readonly passwordHash?: string;
    readonly scram?: ScramCredential;
    readonly state?: MailboxState;
    readonly quota?: number;
    readonly holderId?: number | null;
  }): Promise<Mailbox> {
    return explained(this.#store.write('setMailbox', change), { mailbox: 'not-found', holder: 'not-found' });
  }
}

/** What a password is checked by, sent or proved. @throws AccountError 'bad-password' */
async function credentialsOf(password: string): Promise<{ passwordHash: string; scram: ScramCredential }> {
  const passwordHash = await hashNewPassword(password);
  return { passwordHash, scram: await scramCredential(password) };
}

function requireQuota(quota: number): void {
  if (Number.isSafeInteger(quota) && quota > 0) return;
  throw new AccountError('bad-quota', `a quota is a positive whole number of octets, not ${quota}`);
}
