import type { AddressInfo } from 'node:net';
import { Connections } from '../limits/index.js';
import { MailListener } from '../listener/index.js';
import type { KeyPair } from '../tls/index.js';
import { defaultLimits, defaultTimeouts, type ImapServerOptions, type Services } from './options.js';
import { Session } from './session.js';

export interface ImapServer {
  listen(port: number, address: string): Promise<AddressInfo>;
  /** New certificate for the handshakes to come. */
  reload(tls: KeyPair): void;
  /** Stops listening, lets running commands end, sends the others away with BYE. */
  close(): Promise<void>;
  readonly connections: number;
}

/** A listener for IMAP. Nothing is bound before `listen`. */
export function createImapServer(options: ImapServerOptions): ImapServer {
  const { tls, connections, telemetry, mode, now } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const services: Services = {
    ...options,
    testing: options.testing ?? false,
    compress: options.compress ?? false,
    limits: { ...defaultLimits, ...options.limits },
    timeouts,
    startedAt: now(),
  };
  return new MailListener({
    protocol: 'imap',
    mode,
    tls,
    telemetry,
    connections: connections ?? new Connections(undefined, telemetry),
    timeouts,
    open: (accepted) => new Session(services, accepted),
  });
}
