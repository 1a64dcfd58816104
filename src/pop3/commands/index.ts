import type { Command, Connection } from '../command.js';
import type { State } from '../state.js';
import { auth } from './auth.js';
import { capa } from './capa.js';
import { dele } from './dele.js';
import { list } from './list.js';
import { noop } from './noop.js';
import { pass } from './pass.js';
import { quit } from './quit.js';
import { retr } from './retr.js';
import { rset } from './rset.js';
import { stat } from './stat.js';
import { stls } from './stls.js';
import { top } from './top.js';
import { uidl } from './uidl.js';
import { user } from './user.js';

/** All that is served. */
const table: readonly Command[] = [
  capa,
  user,
  pass,
  auth,
  stls,
  quit,
  stat,
  list,
  uidl,
  retr,
  top,
  dele,
  rset,
  noop,
];

const byName: ReadonlyMap<string, Command> = new Map(table.map((entry) => [entry.name, entry]));

/** @param name in upper case */
export const findCommand = (name: string): Command | undefined => byName.get(name);

/** What the server is, whatever the commands (RFC 2449 6; RFC 3206 6 for AUTH-RESP-CODE). */
const traits = ['RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER', 'IMPLEMENTATION Ceralacca'];

/** The lines of CAPA. */
export function capabilities(connection: Connection, state: State): readonly string[] {
  const offered = table.flatMap((entry) => entry.capability(connection, state) ?? []);
  return [...offered, ...traits];
}
