import { AccessPoint, submissionHandlers } from '../access-point/index.js';
import { AntivirusUnavailable } from '../antivirus/index.js';
import { createImapServer, RecentClaims } from '../imap/index.js';
import { mxHandlers } from '../incoming-point/index.js';
import { Indexer } from '../mailstore/index.js';
import { createPop3Server } from '../pop3/index.js';
import { signAttached } from '../smime/index.js';
import { createSmtpServer, SmtpError, type SmtpServerOptions, SpoolFailure } from '../smtp/index.js';
import { StoreUnavailable } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { createWebServer, signedRecord } from '../web/index.js';
import type { Parts } from './parts.js';
import type { Running } from './running.js';

/** Port 25: other gestori and the Internet. */
export async function startIncoming(parts: Parts, running: Running): Promise<void> {
  const { config, directory, store, incomingPoint, limits, intake } = parts;
  await listenSmtp(parts, running, 'mx', {
    mode: 'offered',
    size: config.limits.incoming_size,
    smtpUtf8: true,
    intake: intake.gate('peer'),
    handlers: mxHandlers({
      incomingPoint,
      directory,
      store,
      hostname: config.hostname,
      rate: limits.incoming,
    }),
  });
}

/** The submission ports. */
export async function startAccess(parts: Parts, running: Running): Promise<void> {
  const { config, store, issuer, directory, antivirus, quarantine, telemetry, accounts, intake } = parts;
  const { limits, timers, relay } = config;
  const accessPoint = new AccessPoint({
    store,
    issuer,
    directory,
    antivirus,
    quarantine,
    telemetry,
    clock: parts.certifyingClock,
    limits: {
      recipients: limits.recipients,
      sizeTimesRecipients: limits.size_times_recipients,
      messageSize: limits.message_size,
    },
    timers: { firstNotice: timers.first_notice.ms, secondNotice: timers.second_notice.ms },
    envelopeGiveUp: relay.give_up.envelopes.ms,
    dkim: parts.dkim,
  });
  const handlers = submissionHandlers({
    accessPoint,
    accounts,
    store,
    hostname: config.hostname,
    receiptsReserve: limits.receipts_reserve,
    sending: parts.limits.sending,
    telemetry,
  });
  const session = { size: limits.hard_size, smtpUtf8: false, handlers, intake: intake.gate('user') };
  await listenSmtp(parts, running, 'submission', { ...session, mode: 'implicit' });
  await listenSmtp(parts, running, 'submission_starttls', { ...session, mode: 'required' });
}

type ListenerRules<User> = Pick<
  SmtpServerOptions<User>,
  'mode' | 'size' | 'smtpUtf8' | 'handlers' | 'intake'
>;

async function listenSmtp<User>(
  { config, tls, telemetry, limits }: Parts,
  running: Running,
  name: 'mx' | 'submission' | 'submission_starttls',
  rules: ListenerRules<User>,
): Promise<void> {
  const port = config.listen[name];
  if (port === false) return;
  const protocol = name === 'mx' ? 'mx' : 'submission';
  const server = createSmtpServer({
    ...rules,
    hostname: config.hostname,
    tls,
    spoolDir: config.paths.spool,
    recipients: config.limits.recipients_hard,
    insecureAuth: config.testing,
    protocol,
    connections: limits.connections,
    transfers: limits.transfers,
    session: limits.session,
    report: (error, peer) => reportSmtp(telemetry, protocol, error, peer.remoteAddress),
  });
  await running.listen(name, server, port, config.listen.address);
}

/** Every refusal is told; what was no refusal of ours is a fault to look at. */
function reportSmtp(telemetry: Telemetry, protocol: 'mx' | 'submission', error: unknown, peer: string): void {
  // A refusal may have a fault of ours behind it: the peer is told the one, the operator both.
  const cause = error instanceof SmtpError ? error.cause : error;
  if (cause instanceof SpoolFailure)
    telemetry.event('store.unavailable', { operation: 'spool', error: cause.message });
  if (error instanceof SmtpError) {
    const fields = { peer, code: error.code, reason: error.publicText };
    if (protocol === 'mx') telemetry.event('reception.rejected', fields);
    else telemetry.event('submission.rejected', { ...fields, mailbox: '' });
    return;
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof SpoolFailure) return;
  if (error instanceof StoreUnavailable)
    telemetry.event('store.unavailable', { operation: protocol, error: reason });
  // The antivirus tells of itself.
  else if (!(error instanceof AntivirusUnavailable))
    telemetry.event('session.failed', { protocol, peer, error: reason });
}

/** POP3 over TLS, and with STARTTLS where a port is configured. */
export async function startPop3(parts: Parts, running: Running): Promise<void> {
  const { config, tls, accounts, mailstore, telemetry, limits } = parts;
  for (const [name, mode] of [
    ['pop3s', 'implicit'],
    ['pop3', 'starttls'],
  ] as const) {
    const port = config.listen[name];
    if (port === false) continue;
    const server = createPop3Server({
      accounts,
      mailstore,
      telemetry,
      hostname: config.hostname,
      tls,
      mode,
      testing: config.testing,
      connections: limits.connections,
      limits: { badCommands: limits.session.errors, failedLogins: limits.session.logins },
    });
    await running.listen(name, server, port, config.listen.address);
  }
}

/** IMAP over TLS, and with STARTTLS where a port is configured. */
export async function startImap(parts: Parts, running: Running): Promise<void> {
  const { config, tls, accounts, mailstore, store, telemetry, limits, clock } = parts;
  const indexer = new Indexer({ store, telemetry });
  indexer.start();
  running.add({ stop: () => indexer.stop() });
  const recent = new RecentClaims();
  for (const [name, mode] of [
    ['imaps', 'implicit'],
    ['imap', 'starttls'],
  ] as const) {
    const port = config.listen[name];
    if (port === false) continue;
    const server = createImapServer({
      accounts,
      mailstore,
      keeper: store,
      telemetry,
      hostname: config.hostname,
      tls,
      mode,
      spoolDir: config.paths.spool,
      testing: config.testing,
      compress: config.imap.compress,
      connections: limits.connections,
      limits: {
        append: config.limits.hard_size,
        badCommands: limits.session.errors,
        failedLogins: limits.session.logins,
      },
      recent,
      now: clock,
    });
    await running.listen(name, server, port, config.listen.address);
  }
}

/** The HTTPS port. */
export async function startWeb(parts: Parts, running: Running): Promise<void> {
  const { config, tls, telemetry, antivirus, store, directory, signer, clock, certifyingClock, utc } = parts;
  const { intake, limits } = parts;
  const port = config.listen.https;
  if (port === false) return;
  const server = await createWebServer({
    tls,
    telemetry,
    connections: limits.connections,
    caFile: config.tls.ca,
    providerRecord: config.directory.publish
      ? signedRecord({
          ldif: async () => {
            await directory.current();
            return directory.ownLdif();
          },
          sign: (ldif) => signAttached(ldif, signer, certifyingClock()),
          clock,
        })
      : null,
    metrics: () => telemetry.metrics(),
    metricsAllow: config.web.metrics_allow,
    alarms: () => [...new Set(telemetry.standing().map(({ name }) => name))],
    checks: [
      {
        name: 'store',
        ok: async () =>
          (await answers(store.read('directoryMark', {}))) &&
          (await intake.ready('store')) &&
          (await intake.ready('writes')),
      },
      { name: 'antivirus', ok: () => antivirus.ping() },
      { name: 'signer', ok: () => signer.works() },
      { name: 'disk', ok: () => intake.ready('disk') },
      { name: 'queue', ok: () => intake.ready('queue') },
      { name: 'clock', ok: async () => utc.certifies() },
    ],
  });
  await running.listen('https', server, port, config.listen.address);
}

const answers = (question: Promise<unknown>): Promise<boolean> =>
  question.then(
    () => true,
    () => false,
  );
