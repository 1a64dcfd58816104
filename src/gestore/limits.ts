import { noSendingBounds, SendingLimits } from '../access-point/index.js';
import type { Config } from '../config/index.js';
import { IncomingRate } from '../incoming-point/index.js';
import { Connections, noConnectionBounds, noTransferBounds, Transfers } from '../limits/index.js';
import type { SessionBounds } from '../smtp/index.js';
import type { Telemetry } from '../telemetry/index.js';

/** What bounds the listeners, one for all of them. */
export interface Limits {
  readonly connections: Connections;
  readonly transfers: Transfers;
  readonly sending: SendingLimits;
  readonly incoming: IncomingRate;
  readonly session: SessionBounds;
}

const NONE = Number.POSITIVE_INFINITY;

/**
 * With `testing`, which is refused off loopback, there are none (interfaces: no rate and login limits on loopback).
 * @param clock milliseconds that never go back: setting the system clock must not lengthen a wait
 */
export function openLimits(config: Config, telemetry: Telemetry, clock: () => number): Limits {
  return config.testing ? without(telemetry, clock) : configured(config, telemetry, clock);
}

function without(telemetry: Telemetry, clock: () => number): Limits {
  return {
    connections: new Connections(noConnectionBounds, telemetry),
    transfers: new Transfers(noTransferBounds),
    sending: new SendingLimits({ bounds: noSendingBounds, telemetry, clock }),
    incoming: new IncomingRate({ perMinute: NONE, clock }),
    session: { errors: NONE, logins: NONE, idleCommands: NONE },
  };
}

function configured({ limits }: Config, telemetry: Telemetry, clock: () => number): Limits {
  return {
    connections: new Connections(
      {
        total: limits.connections_total,
        ofProtocol: limits.connections,
        ofSource: limits.connections_per_address,
      },
      telemetry,
    ),
    transfers: new Transfers({
      total: limits.transfers,
      ofSource: limits.transfers_per_address,
      octets: limits.spool_size,
      octetsOfSource: limits.spool_size_per_address,
    }),
    sending: new SendingLimits({
      bounds: {
        messagesPerHour: limits.messages_per_hour,
        messagesPerDay: limits.messages_per_day,
        recipientsPerDay: limits.recipients_per_day,
        bulkSenders: limits.bulk_senders,
      },
      telemetry,
      clock,
    }),
    incoming: new IncomingRate({ perMinute: limits.incoming_per_minute, clock }),
    session: {
      errors: limits.session_errors,
      logins: limits.session_logins,
      idleCommands: limits.session_idle_commands,
    },
  };
}
