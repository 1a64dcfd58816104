import type { Config } from './config/index.js';
import { startRelay, startTimers } from './gestore/background.js';
import { startAccess, startIncoming, startPop3, startWeb } from './gestore/listeners.js';
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
  /** Takes nothing new, finishes what is acknowledged, closes. */
  stop(): Promise<void>;
}

/** In the order in which they start: what takes mail comes after what can pass it on. */
const starts: readonly (readonly [Role, (parts: Parts, running: Running) => Promise<void> | void])[] = [
  ['relay', startRelay],
  ['incoming', startIncoming],
  ['access', startAccess],
  ['pop3', startPop3],
  ['web', startWeb],
  ['timers', startTimers],
];

/**
 * The composition root: builds every part from the configuration and starts the roles asked for. Nothing else builds
 * parts.
 * @throws StartError, and what opening the store, the key or a port throws
 */
export async function startGestore(
  config: Config,
  telemetry: Telemetry,
  { version, roles = ROLES }: { readonly version: string; readonly roles?: readonly Role[] },
): Promise<Gestore> {
  const running = new Running();
  try {
    const parts = await buildParts(config, telemetry, running);
    for (const [role, start] of starts) if (roles.includes(role)) await start(parts, running);
  } catch (error) {
    await running.stop();
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
