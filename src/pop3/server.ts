import type { AddressInfo } from 'node:net';
import { Connections } from '../limits/index.js';
import { MailListener } from '../listener/index.js';
import type { KeyPair } from '../tls/index.js';
import { locksOf } from './locks.js';
import { defaultLimits, defaultTimeouts, type Pop3ServerOptions } from './options.js';
import { type Services, Session } from './session.js';

export interface Pop3Server {
  listen(port: number, address: string): Promise<AddressInfo>;
  /** New certificate for the handshakes to come. */
  reload(tls: KeyPair): void;
  /** Stops listening, lets running commands and deletions end, sends the others away with -ERR [SYS/TEMP]. */
  close(): Promise<void>;
  readonly connections: number;
}

/** A listener for POP3. Nothing is bound before `listen`. */
export function createPop3Server(options: Pop3ServerOptions): Pop3Server {
  const { accounts, mailstore, telemetry, hostname, mode, tls } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const services: Services = {
    accounts,
    mailstore,
    telemetry,
    hostname,
    mode,
    limits: { ...defaultLimits, ...options.limits },
    timeouts,
    testing: options.testing ?? false,
    locks: options.locks ?? locksOf(mailstore),
    updates: new Set(),
  };
  const listener = new MailListener({
    protocol: 'pop3',
    mode,
    tls,
    telemetry,
    connections: options.connections ?? new Connections(undefined, telemetry),
    timeouts,
    open: (accepted) => new Session(services, accepted),
  });
  return {
    listen: (port, address) => listener.listen(port, address),
    reload: (pair) => listener.reload(pair),
    async close() {
      await listener.close();
      await Promise.all(services.updates);
    },
    get connections() {
      return listener.connections;
    },
  };
}
