import { UNBOUND } from '../../accounts/index.js';
import type { Command, Connection } from '../command.js';
import { capabilityName, isOffered } from '../offers.js';
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

/** What the server is, then what its commands bring. */
const BASE = ['IMAP4rev1', 'LITERAL+'];

/** The list of CAPABILITY. */
export function capabilities(connection: Connection, state: State): readonly string[] {
  const hidden = 'account' in state ? state.account.hidden : NOTHING;
  return [...BASE, ...table.flatMap((entry) => entry.capability(connection, state))].filter((listed) =>
    isOffered(capabilityName(listed), hidden),
  );
}

const NOTHING: ReadonlySet<string> = new Set();

/** Somebody to whom all is offered that there is after a login. */
const ANYBODY: Connection = {
  secure: true,
  channel: UNBOUND,
  mayLogIn: true,
  offersStartTls: false,
  compression: 'offered',
  appendLimit: 0,
  pending: 0,
  peer: '',
  session: '',
};

/** The names of what can be hidden from an account: all that counts after the login, but IMAP itself. */
export function hideableCapabilities(): readonly string[] {
  const state: State = { kind: 'authenticated', account: { mailboxId: 0, address: '', hidden: NOTHING } };
  const brought = table
    .filter(({ states }) => states.some((each) => each !== 'not-authenticated'))
    .flatMap((entry) => entry.capability(ANYBODY, state));
  return [...BASE.slice(1), ...brought].map(capabilityName).sort();
}
