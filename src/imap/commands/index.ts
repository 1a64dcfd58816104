import type { Command, Connection } from '../command.js';
import type { State } from '../state.js';
import { capability } from './capability.js';
import { close, unselect } from './close.js';
import { fetchMessages, uidFetch } from './fetch.js';
import { login } from './login.js';
import { logout } from './logout.js';
import { check, noop } from './noop.js';
import { examine, selectFolder } from './select.js';
import { starttls } from './starttls.js';

/** All that is served. */
const table: readonly Command[] = [
  capability,
  noop,
  check,
  logout,
  starttls,
  login,
  selectFolder,
  examine,
  close,
  unselect,
  fetchMessages,
  uidFetch,
];

const byName: ReadonlyMap<string, Command> = new Map(table.map((entry) => [entry.name, entry]));

/** @param name in upper case */
export const findCommand = (name: string): Command | undefined => byName.get(name);

/** The list of CAPABILITY: what the server is, then what its commands bring. */
export function capabilities(connection: Connection, state: State): readonly string[] {
  return ['IMAP4rev1', 'LITERAL+', ...table.flatMap((entry) => entry.capability(connection, state))];
}
