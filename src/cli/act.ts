import { hostname, userInfo } from 'node:os';
import type { Store } from '../storage/index.js';
import type { Call } from './command.js';

/** Characters of one word of a command that are kept. */
const WORD = 1000;

/**
 * Does what an administrator asked for, once it stands among the acts: nothing is done that is not registered. What
 * fails is registered again, with its reason.
 */
export async function asAct<T>(
  call: Call,
  action: string,
  store: Pick<Store, 'write'>,
  work: () => Promise<T>,
): Promise<T> {
  const [target = '', ...rest] = call.arguments.map((word) => word.slice(0, WORD));
  const options = Object.entries(call.given()).map(([name, text]) => [name, text.slice(0, WORD)] as const);
  const said = {
    ...Object.fromEntries(options),
    ...(rest.length === 0 ? {} : { argomenti: rest.join(' ') }),
  };
  const act = { actor: actorOf(call), action, target };
  await store.write('recordAct', { ...act, at: Date.now(), detail: said });
  try {
    return await work();
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, WORD);
    await store.write('recordAct', { ...act, at: Date.now(), detail: { ...said, fallito: reason } });
    throw error;
  }
}

/** Who sits at the terminal, also behind sudo, and on which machine. */
export function actorOf({ surroundings: { env } }: Call): string {
  const user = env.SUDO_USER ?? userInfo().username;
  return `${user}@${hostname()}`;
}
