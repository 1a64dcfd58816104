/** What administrators do, in a chain of its own beside the register. Entries are only ever added. */
import { randomBytes } from 'node:crypto';
import { actLeaf, CHAIN_START, linkHash } from '../../ledger/index.js';
import type { Act, NewAct } from '../records.js';
import { SALT_BYTES } from '../register.js';
import type { ActTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation } from '../transaction.js';

const columns = ['seq', 'at', 'actor', 'action', 'target', 'detail', 'salt', 'leaf', 'link'] as const;

const insert = statement<ActTable>((db, p) =>
  db.insertInto('act').values({
    seq: p('seq'),
    at: p('at'),
    actor: p('actor'),
    action: p('action'),
    target: p('target'),
    detail: p('detail'),
    salt: p('salt'),
    leaf: p('leaf'),
    link: p('link'),
  }),
);

const selectLast = statement<Record<never, never>, ActTable>((db) =>
  db.selectFrom('act').select(columns).orderBy('seq', 'desc').limit(1),
);

const selectPage = statement<{ after: number; limit: number }, ActTable>((db, p) =>
  db.selectFrom('act').select(columns).where('seq', '>', p('after')).orderBy('seq').limit(p('limit')),
);

const asAct = ({ detail, ...row }: ActTable): Act => ({ ...row, detail: JSON.parse(detail) });

/** Adds an entry at the end of the chain. */
export const recordAct: Operation<NewAct, Act> = async (tx, { at, actor, action, target, detail }) => {
  const last = await tx.first(selectLast, {});
  const seq = (last?.seq ?? 0) + 1;
  const salt = randomBytes(SALT_BYTES);
  const leaf = actLeaf(salt, { seq, at, actor, action, target, detail });
  const link = linkHash(last?.link ?? CHAIN_START, leaf);
  const row = { seq, at, actor, action, target, detail: JSON.stringify(detail), salt, leaf, link };
  await tx.run(insert, row);
  return asAct(row);
};

/** Entries after one, oldest first. */
export const pageActs: ReadOperation<{ after: number; limit: number }, Act[]> = async (tx, page) =>
  (await tx.all(selectPage, page)).map(asAct);

/** The end of the chain; undefined while nothing was done. */
export const lastAct: ReadOperation<Record<never, never>, Act | undefined> = async (tx) => {
  const row = await tx.first(selectLast, {});
  return row === undefined ? undefined : asAct(row);
};
