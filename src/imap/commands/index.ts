import type { Command, Connection } from '../command.js';
import type { State } from '../state.js';
import { append } from './append.js';
import { authenticate } from './authenticate.js';
import { capability } from './capability.js';
import { close, unselect } from './close.js';
import { compress } from './compress.js';
import { copyMessages, moveMessages, uidCopy, uidMove } from './copy.js';
import { enable } from './enable.js';
import { expunge, uidExpunge } from './expunge.js';
import { fetchMessages, uidFetch } from './fetch.js';
import { create, remove, rename, subscribe, unsubscribe } from './folders.js';
import { id } from './id.js';
import { idle } from './idle.js';
import { list, lsub } from './list.js';
import { login } from './login.js';
import { logout } from './logout.js';
import { namespace } from './namespace.js';
import { check, noop } from './noop.js';
import { getQuota, getQuotaRoot } from './quota.js';
import { replaceMessage, uidReplace } from './replace.js';
import { search, uidSearch } from './search.js';
import { examine, selectFolder } from './select.js';
import { sort, threadMessages, uidSort, uidThread } from './sort.js';
import { starttls } from './starttls.js';
import { status } from './status.js';
import { storeFlags, uidStore } from './store.js';

/** All that is served. */
const table: readonly Command[] = [
  capability,
  noop,
  check,
  logout,
  starttls,
  login,
  authenticate,
  enable,
  compress,
  id,
  idle,
  namespace,
  create,
  remove,
  rename,
  subscribe,
  unsubscribe,
  list,
  lsub,
  status,
  append,
  replaceMessage,
  uidReplace,
  getQuota,
  getQuotaRoot,
  selectFolder,
  examine,
  close,
  unselect,
  fetchMessages,
  uidFetch,
  search,
  uidSearch,
  sort,
  uidSort,
  threadMessages,
  uidThread,
  storeFlags,
  uidStore,
  copyMessages,
  uidCopy,
  moveMessages,
  uidMove,
  expunge,
  uidExpunge,
];

const byName: ReadonlyMap<string, Command> = new Map(table.map((entry) => [entry.name, entry]));

/** @param name in upper case */
export const findCommand = (name: string): Command | undefined => byName.get(name);

/** The list of CAPABILITY: what the server is, then what its commands bring. */
export function capabilities(connection: Connection, state: State): readonly string[] {
  return ['IMAP4rev1', 'LITERAL+', ...table.flatMap((entry) => entry.capability(connection, state))];
}
