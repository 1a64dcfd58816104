import { type Config, programVersion } from '../config/index.js';
import type { Role } from '../gestore.js';
import type { Telemetry } from '../telemetry/index.js';
import { unwatchedClock } from './clock.js';
import { type Call, type Run, UsageError } from './command.js';

/** What of a running gestore this command needs. */
interface Running {
  reload(config: Config): Promise<void>;
  stop(): Promise<void>;
}

export const run: Run = async (call) => {
  const config = await call.config();
  const [{ ROLES, startGestore }, { createTelemetry }] = await Promise.all([
    import('../gestore.js'),
    import('../telemetry/index.js'),
  ]);
  const roles = rolesOf(call, ROLES);
  // What the server writes is for its own user only.
  process.umask(0o077);
  const telemetry = createTelemetry(config.log);
  dieLoudly(telemetry);
  // Before anything starts: a signal that comes early shall not end the process half-way.
  const told = toldToStop();
  if (config.testing) {
    const reason =
      'testing: true. Legal figures, login limits and the clock are not enforced: certify nothing that matters';
    warn(call, telemetry, reason);
  }
  const unwatched = unwatchedClock(config);
  if (unwatched !== undefined) warn(call, telemetry, unwatched);
  try {
    const starting = startGestore(config, telemetry, { version: programVersion(), roles });
    reloadOnHangup(call, starting, telemetry);
    const running = await starting;
    const reason = await told;
    await running.stop();
    telemetry.event('server.stopped', { reason });
  } finally {
    await telemetry.close();
  }
  return 0;
};

function rolesOf(call: Call, known: readonly Role[]): readonly Role[] {
  const wanted = call
    .option('roles')
    ?.split(',')
    .map((role) => role.trim());
  if (wanted === undefined) return known;
  const unknown = wanted.find((role) => !known.some((name) => name === role));
  if (unknown !== undefined) throw new UsageError(`--roles: "${unknown}" is none of ${known.join(', ')}`);
  return known.filter((role) => wanted.includes(role));
}

/** At every start, where whoever starts it looks and in the log. */
function warn(call: Call, telemetry: Telemetry, reason: string): void {
  call.remark(`ceralacca: ${reason}`);
  telemetry.event('server.warning', { reason });
}

/** SIGHUP reads the configuration again. */
function reloadOnHangup(call: Call, starting: Promise<Running>, telemetry: Telemetry): void {
  const reload = async (): Promise<void> => {
    try {
      await (await starting).reload(await call.config());
      telemetry.clear('reload-failed', '');
    } catch (error) {
      // The server goes on with what it has: a typing error must not stop the mail.
      telemetry.raise('reload-failed', '', error instanceof Error ? error.message : String(error));
    }
  };
  process.on('SIGHUP', () => void reload());
}

/** Resolves with the name of the signal that tells the server to stop; a second one stops it at once. */
function toldToStop(): Promise<string> {
  return new Promise((told) => {
    let stopping = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(1);
        stopping = true;
        told(signal);
      });
    }
  });
}

/** After a fault nobody foresaw the state is unknown: nothing acknowledged is lost by ending and starting again. */
function dieLoudly(telemetry: Telemetry): void {
  const die = (error: unknown): void => {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    telemetry.event('alarm', { name: 'crash', reason });
    void telemetry.close().finally(() => process.exit(1));
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}
