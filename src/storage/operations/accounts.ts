/** Domains, holders, mailboxes and aliases. */

import { addressKey, domainOf } from '../../pec/index.js';
import { StoreConflict } from '../errors.js';
import type {
  Alias,
  Domain,
  Holder,
  Mailbox,
  MailboxState,
  OrdinaryRule,
  ScramCredential,
} from '../records.js';
import type { AddressTable, MailboxTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction, Transaction } from '../transaction.js';
import { directoryChanged } from './directory.js';
import { createStandardFolders } from './folders.js';
import { replaceScram, scramOf } from './scram.js';

// --- domains ---------------------------------------------------------------------------------------------------

const insertDomain = statement<{ name: string; now: number }>((db, p) =>
  db
    .insertInto('domain')
    .values({ name: p('name'), created_at: p('now') })
    .onConflict((conflict) => conflict.doNothing()),
);

const selectDomains = statement<Record<never, never>, Domain>((db) =>
  db.selectFrom('domain').select(['name', 'created_at as createdAt']).orderBy('name'),
);

const selectDomain = statement<{ name: string }, Domain>((db, p) =>
  db.selectFrom('domain').select(['name', 'created_at as createdAt']).where('name', '=', p('name')),
);

const addressesInDomain = statement<{ name: string }, { count: number }>((db, p) =>
  db
    .selectFrom('address')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('domain', '=', p('name')),
);

const deleteDomain = statement<{ name: string }>((db, p) =>
  db.deleteFrom('domain').where('name', '=', p('name')),
);

/** @throws StoreConflict 'domain' when it is managed already. */
export const addDomain: Operation<{ name: string; now: number }, Domain> = async (tx, { name, now }) => {
  const key = addressKey(name);
  const { changes } = await tx.run(insertDomain, { name: key, now });
  if (changes === 0) throw new StoreConflict('domain', `domain ${key} exists already`, { name: key });
  await directoryChanged(tx);
  return { name: key, createdAt: now };
};

/** @throws StoreConflict 'domain' when it is not managed, 'mailbox' while addresses are in it. */
export const removeDomain: Operation<{ name: string }, void> = async (tx, { name }) => {
  const key = addressKey(name);
  const addresses = (await tx.first(addressesInDomain, { name: key }))?.count ?? 0;
  if (addresses > 0) {
    throw new StoreConflict('mailbox', `domain ${key} still has ${addresses} addresses`, { addresses });
  }
  const { changes } = await tx.run(deleteDomain, { name: key });
  if (changes === 0) throw new StoreConflict('domain', `no domain ${key}`, { name: key });
  await directoryChanged(tx);
};

export const listDomains: ReadOperation<Record<never, never>, Domain[]> = (tx) => tx.all(selectDomains, {});

export const findDomain: ReadOperation<{ name: string }, Domain | undefined> = (tx, { name }) =>
  tx.first(selectDomain, { name: addressKey(name) });

// --- holders ---------------------------------------------------------------------------------------------------

const insertHolder = statement<{ name: string; taxCode: string | null; now: number }, { id: number }>(
  (db, p) =>
    db
      .insertInto('holder')
      .values({ name: p('name'), tax_code: p('taxCode'), created_at: p('now') })
      .returning('id'),
);

const selectHolders = statement<Record<never, never>, Holder>((db) =>
  db
    .selectFrom('holder')
    .select(['id', 'name', 'tax_code as taxCode', 'created_at as createdAt'])
    .orderBy('id'),
);

const selectHolder = statement<{ id: number }, Holder>((db, p) =>
  db
    .selectFrom('holder')
    .select(['id', 'name', 'tax_code as taxCode', 'created_at as createdAt'])
    .where('id', '=', p('id')),
);

export const addHolder: Operation<{ name: string; taxCode: string | null; now: number }, Holder> = async (
  tx,
  { name, taxCode, now },
) => {
  const row = await tx.first(insertHolder, { name, taxCode, now });
  if (row === undefined) throw new StoreConflict('holder', 'the holder was not stored');
  return { id: row.id, name, taxCode, createdAt: now };
};

export const listHolders: ReadOperation<Record<never, never>, Holder[]> = (tx) => tx.all(selectHolders, {});

export const findHolder: ReadOperation<{ id: number }, Holder | undefined> = (tx, { id }) =>
  tx.first(selectHolder, { id });

// --- mailboxes -------------------------------------------------------------------------------------------------

type NewMailbox = Omit<MailboxTable, 'id' | 'used' | 'last_uid_validity' | 'ordinary'>;

const insertMailbox = statement<NewMailbox, { id: number }>((db, p) =>
  db
    .insertInto('mailbox')
    .values({
      address: p('address'),
      kind: p('kind'),
      state: p('state'),
      holder_id: p('holder_id'),
      password_hash: p('password_hash'),
      quota: p('quota'),
      used: 0,
      created_at: p('created_at'),
    })
    .returning('id'),
);

const insertAddress = statement<AddressTable>((db, p) =>
  db
    .insertInto('address')
    .values({
      address_key: p('address_key'),
      address: p('address'),
      domain: p('domain'),
      mailbox_id: p('mailbox_id'),
      is_alias: p('is_alias'),
      created_at: p('created_at'),
    })
    .onConflict((conflict) => conflict.doNothing()),
);

const mailboxColumns = [
  'mailbox.id',
  'mailbox.address',
  'mailbox.kind',
  'mailbox.state',
  'mailbox.holder_id as holderId',
  'mailbox.password_hash as passwordHash',
  'mailbox.quota',
  'mailbox.used',
  'mailbox.created_at as createdAt',
  'mailbox.ordinary',
] as const;

type MailboxRow = Omit<Mailbox, 'domain' | 'ordinary'> & { readonly ordinary: string | null };

const selectMailbox = statement<{ key: string }, MailboxRow>((db, p) =>
  db
    .selectFrom('address')
    .innerJoin('mailbox', 'mailbox.id', 'address.mailbox_id')
    .select(mailboxColumns)
    .where('address.address_key', '=', p('key')),
);

const selectMailboxById = statement<{ id: number }, MailboxRow>((db, p) =>
  db.selectFrom('mailbox').select(mailboxColumns).where('mailbox.id', '=', p('id')),
);

const selectMailboxes = statement<Record<never, never>, MailboxRow>((db) =>
  db.selectFrom('mailbox').select(mailboxColumns).orderBy('mailbox.address'),
);

const updateMailbox = statement<{
  id: number;
  passwordHash: string;
  state: MailboxState;
  quota: number;
  holderId: number | null;
  ordinary: string | null;
}>((db, p) =>
  db
    .updateTable('mailbox')
    .set({
      password_hash: p('passwordHash'),
      state: p('state'),
      quota: p('quota'),
      holder_id: p('holderId'),
      ordinary: p('ordinary'),
    })
    .where('id', '=', p('id')),
);

const asMailbox = (row: MailboxRow): Mailbox => ({
  ...row,
  domain: domainOf(row.address),
  ordinary: row.ordinary === null ? null : readRule(row.ordinary),
});

const FORWARD = 'forward=';

function readRule(text: string): OrdinaryRule {
  if (text.startsWith(FORWARD)) return { kind: 'forward', to: text.slice(FORWARD.length) };
  return { kind: text === 'anomaly' ? 'anomaly' : 'reject' };
}

const ruleText = (rule: OrdinaryRule): string =>
  rule.kind === 'forward' ? `${FORWARD}${rule.to}` : rule.kind;

/** @throws StoreConflict 'mailbox' when there is none. */
export async function mailboxOf(tx: ReadTransaction, address: string): Promise<Mailbox> {
  const row = await tx.first(selectMailbox, { key: addressKey(address) });
  if (row === undefined) throw new StoreConflict('mailbox', `no mailbox ${address}`, { address });
  return asMailbox(row);
}

async function claimAddress(
  tx: Transaction,
  entry: { address: string; mailboxId: number; alias: boolean; now: number },
): Promise<void> {
  const domain = domainOf(entry.address);
  if ((await findDomain(tx, { name: domain })) === undefined) {
    throw new StoreConflict('domain', `domain ${domain} is not managed here`, { name: domain });
  }
  const { changes } = await tx.run(insertAddress, {
    address_key: addressKey(entry.address),
    address: entry.address,
    domain,
    mailbox_id: entry.mailboxId,
    is_alias: entry.alias ? 1 : 0,
    created_at: entry.now,
  });
  if (changes === 0) {
    const what = entry.alias ? 'alias' : 'mailbox';
    throw new StoreConflict(what, `address ${entry.address} exists already`, { address: entry.address });
  }
}

/**
 * Creates a mailbox with its standard folders.
 * @throws StoreConflict 'domain' when its domain is not managed, 'holder' when there is no such holder, 'mailbox'
 *   when the address is taken, by a mailbox or by an alias.
 */
export const addMailbox: Operation<
  {
    address: string;
    passwordHash: string;
    /** Of the same password. */
    scram?: ScramCredential | undefined;
    holderId: number | null;
    /** Octets. */
    quota: number;
    kind: 'user' | 'service';
    now: number;
  },
  Mailbox
> = async (tx, { address, passwordHash, scram, holderId, quota, kind, now }) => {
  if (holderId !== null) await requireHolder(tx, holderId);
  const row = await tx.first(insertMailbox, {
    address,
    kind,
    state: 'active',
    holder_id: holderId,
    password_hash: passwordHash,
    quota,
    created_at: now,
  });
  if (row === undefined) throw new StoreConflict('mailbox', 'the mailbox was not stored');
  await claimAddress(tx, { address, mailboxId: row.id, alias: false, now });
  await createStandardFolders(tx, { mailboxId: row.id, now });
  await replaceScram(tx, row.id, scram);
  const base = { id: row.id, address, kind, state: 'active', holderId, passwordHash, quota } as const;
  return asMailbox({ ...base, used: 0, createdAt: now, ordinary: null });
};

/**
 * Changes what is given of a mailbox, found by its address or an alias.
 * @throws StoreConflict 'mailbox' when there is none, 'holder' when there is no such holder.
 */
export const setMailbox: Operation<
  {
    address: string;
    passwordHash?: string | undefined;
    /** Of the same password: without one the mailbox has none any more. */
    scram?: ScramCredential | undefined;
    state?: MailboxState | undefined;
    quota?: number | undefined;
    holderId?: number | null | undefined;
    ordinary?: OrdinaryRule | null | undefined;
  },
  Mailbox
> = async (tx, change) => {
  const mailbox = await mailboxOf(tx, change.address);
  if (change.holderId !== undefined && change.holderId !== null) await requireHolder(tx, change.holderId);
  const changed: Mailbox = {
    ...mailbox,
    passwordHash: change.passwordHash ?? mailbox.passwordHash,
    state: change.state ?? mailbox.state,
    quota: change.quota ?? mailbox.quota,
    holderId: change.holderId === undefined ? mailbox.holderId : change.holderId,
    ordinary: change.ordinary === undefined ? mailbox.ordinary : change.ordinary,
  };
  const { id, passwordHash, state, quota, holderId } = changed;
  const ordinary = changed.ordinary === null ? null : ruleText(changed.ordinary);
  await tx.run(updateMailbox, { id, passwordHash, state, quota, holderId, ordinary });
  if (change.passwordHash !== undefined) await replaceScram(tx, id, change.scram);
  tx.touch({ mailbox: id });
  return changed;
};

async function requireHolder(tx: ReadTransaction, id: number): Promise<void> {
  if ((await findHolder(tx, { id })) === undefined) {
    throw new StoreConflict('holder', `no holder ${id}`, { id });
  }
}

/** The mailbox an address leads to, its own or an alias. */
export const findMailbox: ReadOperation<{ address: string }, Mailbox | undefined> = async (
  tx,
  { address },
) => {
  const row = await tx.first(selectMailbox, { key: addressKey(address) });
  return row === undefined ? undefined : asMailbox(row);
};

/** No mailbox has this id. */
const NOBODY = -1;

/** What a login is checked against. The same questions are asked for an address that nobody has. */
export const findLogin: ReadOperation<
  { address: string },
  { readonly mailbox: Mailbox | undefined; readonly scram: ScramCredential | undefined }
> = async (tx, { address }) => {
  const mailbox = await findMailbox(tx, { address });
  return { mailbox, scram: await scramOf(tx, mailbox?.id ?? NOBODY) };
};

export const findMailboxById: ReadOperation<{ id: number }, Mailbox | undefined> = async (tx, { id }) => {
  const row = await tx.first(selectMailboxById, { id });
  return row === undefined ? undefined : asMailbox(row);
};

export const listMailboxes: ReadOperation<{ domain?: string | undefined }, Mailbox[]> = async (
  tx,
  { domain },
) => {
  const all = (await tx.all(selectMailboxes, {})).map(asMailbox);
  return domain === undefined ? all : all.filter((mailbox) => mailbox.domain === addressKey(domain));
};

// --- aliases ---------------------------------------------------------------------------------------------------

const deleteAlias = statement<{ key: string }>((db, p) =>
  db.deleteFrom('address').where('address_key', '=', p('key')).where('is_alias', '=', 1),
);

const selectAliases = statement<Record<never, never>, Alias>((db) =>
  db
    .selectFrom('address')
    .innerJoin('mailbox', 'mailbox.id', 'address.mailbox_id')
    .select(['address.address', 'mailbox.address as mailbox', 'address.created_at as createdAt'])
    .where('address.is_alias', '=', 1)
    .orderBy('address.address_key'),
);

/** @throws StoreConflict 'mailbox' when there is no such mailbox, 'domain', 'alias' when the address is taken. */
export const addAlias: Operation<{ address: string; mailbox: string; now: number }, Alias> = async (
  tx,
  { address, mailbox, now },
) => {
  const target = await mailboxOf(tx, mailbox);
  await claimAddress(tx, { address, mailboxId: target.id, alias: true, now });
  return { address, mailbox: target.address, createdAt: now };
};

/** @throws StoreConflict 'alias' when there is no such alias. */
export const removeAlias: Operation<{ address: string }, void> = async (tx, { address }) => {
  const { changes } = await tx.run(deleteAlias, { key: addressKey(address) });
  if (changes === 0) throw new StoreConflict('alias', `no alias ${address}`, { address });
};

export const listAliases: ReadOperation<Record<never, never>, Alias[]> = (tx) => tx.all(selectAliases, {});
