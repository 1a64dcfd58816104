import type { Config } from './config/index.js';
import { startRelay, startTimers } from './gestore/background.js';
import { startAccess, startImap, startIncoming, startPop3, startWeb } from './gestore/listeners.js';
import { lockRoles } from './gestore/locks.js';
import { buildParts, type Parts } from './gestore/parts.js';
import { Running } from './gestore/running.js';
import { readTls } from './gestore/tls.js';
import type { Telemetry } from './telemetry/index.js';

export { StartError } from './gestore/parts.js';

/** What `serve --roles` can name. */
export const ROLES = ['access', 'incoming', 'relay', 'imap', 'pop3', 'web', 'timers'] as const;
export type Role = (typeof ROLES)[number];

/** A gestore that runs. */
export interface Gestore {
  /** The port of each listener, by its configuration key. */
  readonly ports: Readonly<Record<string, number>>;
  /** The TLS certificate is read again from where `config` says; what is running goes on. */
  reload(config: Config): Promise<void>;
  /** Takes nothing new, finishes what is acknowledged, closes. @throws after everything is closed, what failed meanwhile */
  stop(): Promise<void>;
}

/** In the order in which they start: the ports are bound before anything is done to the mail. */
const starts: readonly (readonly [Role, (parts: Parts, running: Running) => Promise<void> | void])[] = [
  ['incoming', startIncoming],
  ['access', startAccess],
  ['pop3', startPop3],
  ['imap', startImap],
  ['web', startWeb],
  ['timers', startTimers],
  ['relay', startRelay],
];

/**
 * The composition root: builds every part from the configuration and starts the roles asked for. Nothing else builds
 * parts.
 * @throws StartError (another process has one of the roles, too), and what opening the store, the key or a port throws
 */
export async function startGestore(
  config: Config,
  telemetry: Telemetry,
  { version, roles = ROLES }: { readonly version: string; readonly roles?: readonly Role[] },
): Promise<Gestore> {
  const running = new Running();
  try {
    lockRoles(config, roles, running);
    const parts = await buildParts(config, telemetry, running);
    for (const [role, start] of starts) if (roles.includes(role)) await start(parts, running);
  } catch (error) {
    await running.stop().catch((second: unknown) => {
      telemetry.event('server.warning', {
        reason: second instanceof Error ? second.message : String(second),
      });
    });
    throw error;
  }
  telemetry.event('server.started', { version, listeners: running.ports });
  return {
    ports: running.ports,
    async reload(fresh) {
      running.reload(await readTls(fresh));
      telemetry.event('server.reloaded', { changed: ['tls'] });
    },
    stop: () => running.stop(),
  };
}
