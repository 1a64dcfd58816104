/** Operations that try an engine: they use one table of the schema as a set of unique keys. */
import { StoreConflict } from '../../../src/storage/errors.js';
import type { RegisterEvent } from '../../../src/storage/records.js';
import { statement } from '../../../src/storage/statement.js';
import type { Operation, ReadOperation } from '../../../src/storage/transaction.js';

const insertKey = statement<{ key: string; at: number }>((db, p) =>
  db.insertInto('seen_notification').values({ digest: p('key'), at: p('at') }),
);
const selectKeys = statement<object, { key: string }>((db) =>
  db.selectFrom('seen_notification').select('digest as key').orderBy('digest'),
);
const selectSome = statement<{ keys: readonly string[] }, { key: string }>((db, p) =>
  db
    .selectFrom('seen_notification')
    .select('digest as key')
    .where('digest', 'in', p.each('keys'))
    .orderBy('digest'),
);

export const eventOf = (key: string): RegisterEvent => ({
  identificativo: key,
  at: 1_700_000_000_000,
  event: 'accettazione',
  sender: 'rossi@pec.alfa.example',
  recipients: ['bianchi@pec.beta.example', 'verdi@pec.beta.example'],
  subject: `Perché "${key}"`,
  related: [],
  gestore: 'Alfa PEC S.p.A.',
  detail: { key },
});

type Keyed = { key: string };

const put: Operation<Keyed, string> = async (tx, { key }) => {
  await tx.run(insertKey, { key, at: 1 });
  tx.touch({ queue: true });
  return `put ${key}`;
};

/** One row and one entry of the register: they are there together or not at all. */
const putAndAppend: Operation<Keyed, void> = async (tx, { key }) => {
  await tx.run(insertKey, { key, at: 1 });
  await tx.append(eventOf(key));
  tx.touch({ mailbox: key.length });
};

const failAfterAll: Operation<Keyed, void> = async (tx, { key }) => {
  await putAndAppend(tx, { key });
  throw new StoreConflict('quota', 'the mailbox is full', { key, used: 10, wanted: null });
};

const failOtherwise: Operation<Keyed, void> = async (tx, { key }) => {
  await putAndAppend(tx, { key });
  throw Object.assign(new RangeError(`cannot ${key}`), { code: 'ODD', unclonable: () => key });
};

/** Meets a unique key, catches what is thrown and goes on. */
const swallow: Operation<{ key: string; other: string }, string> = async (tx, { key, other }) => {
  let met = 'nothing';
  try {
    await tx.run(insertKey, { key, at: 1 });
  } catch (error) {
    met = error instanceof Error && 'code' in error ? String(error.code) : 'something';
  }
  await tx.run(insertKey, { key: other, at: 1 });
  return met;
};

const badEvent: Operation<Keyed, void> = async (tx, { key }) => {
  await tx.append({ ...eventOf(key), subject: undefined as unknown as string });
};

const echo: Operation<unknown, unknown> = async (_tx, input) => input;

/** Ends the thread it runs in, before anything is committed. */
const die: Operation<object, void> = async () => {
  process.exit(1);
};

export const writes = { put, putAndAppend, failAfterAll, failOtherwise, swallow, badEvent, echo, die };

export const listKeys: ReadOperation<object, string[]> = async (tx) =>
  (await tx.all(selectKeys, {})).map((row) => row.key);

export const someKeys: ReadOperation<{ keys: readonly string[] }, string[]> = async (tx, { keys }) =>
  (await tx.all(selectSome, { keys })).map((row) => row.key);

/** The operations as a URL, the way an engine takes them. */
export const operationsModule = import.meta.url;
