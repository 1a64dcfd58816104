import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Accounts } from '../accounts/index.js';
import {
  Quarantine,
  QuarantineKeyError,
  QuarantineKeys,
  type WatchedAntivirus,
  watchedAntivirus,
} from '../antivirus/index.js';
import { LatestTime, monotonic, type UtcWatch } from '../clock/index.js';
import type { Config } from '../config/index.js';
import { DeliveryPoint, type DkimSign } from '../delivery-point/index.js';
import { Directory } from '../directory/index.js';
import { IncomingPoint, networkQuestions, senderCheck } from '../incoming-point/index.js';
import { Issuer } from '../issuing/index.js';
import { Mailstore } from '../mailstore/index.js';
import { dkimSign } from '../relay/index.js';
import {
  CrlStore,
  certificateProfileFaults,
  findPaths,
  type GuardedSigner,
  guardSigner,
  nodeCrypto,
  openSigner,
  readCertificate,
  type Signer,
  verifySignature,
} from '../smime/index.js';
import { cleanSpool } from '../smtp/index.js';
import { openStore, type Store } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { KeyPair } from '../tls/index.js';
import { certifyingClock, watchClock } from './clock.js';
import { Intake, measuresOf } from './intake/index.js';
import { type Limits, openLimits } from './limits.js';
import { loginSecret } from './login-secret.js';
import type { Running } from './running.js';
import { readTls } from './tls.js';

/** This gestore cannot start; the message says what to mend. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Everything the roles share. */
export interface Parts {
  readonly config: Config;
  readonly telemetry: Telemetry;
  /** The system clock, epoch milliseconds. */
  readonly clock: () => number;
  /** The same for whatever is signed. @throws SmtpError 451 while it is wrong (decisions 30) */
  readonly certifyingClock: () => number;
  readonly utc: UtcWatch;
  readonly tls: KeyPair;
  readonly store: Store;
  readonly intake: Intake;
  readonly signer: GuardedSigner;
  readonly directory: Directory;
  readonly crls: CrlStore;
  readonly antivirus: WatchedAntivirus;
  readonly quarantine: Quarantine;
  readonly accounts: Accounts;
  readonly mailstore: Mailstore;
  readonly issuer: Issuer;
  readonly incomingPoint: IncomingPoint;
  readonly dkim: DkimSign | undefined;
  readonly limits: Limits;
}

/** Builds what every role needs. @throws StartError, and what opening the store or the key throws */
export async function buildParts(config: Config, telemetry: Telemetry, running: Running): Promise<Parts> {
  const clock = Date.now;
  const tls = await readTls(config);
  const signer = guardSigner(await openSealingKey(config, telemetry), telemetry);
  running.add({ stop: async () => signer.close() });
  const antivirus = watchedAntivirus(
    config.antivirus,
    telemetry,
    Math.max(config.limits.incoming_size, config.limits.hard_size),
  );
  if (config.antivirus.kind === 'builtin') {
    telemetry.event('server.warning', { reason: 'antivirus: only the EICAR test file is recognised' });
  }
  const latest = new LatestTime();
  const store = await openStore({ ...config.storage, now: clock, latest });
  running.add({ stop: () => store.close() });
  const quarantine = new Quarantine({
    store,
    keys: await openQuarantineKeys(config, telemetry),
    spool: config.paths.spool,
  });
  const utc = await watchClock(config, { telemetry, store, latest }, running);
  const certifying = certifyingClock(utc, clock);
  await cleanSpool(config.paths.spool);
  const intake = await watchIntake(config, store, telemetry, running);
  const directory = await openDirectory(config, telemetry, store, signer, clock);
  const crls = new CrlStore({ sources: config.directory.crl, now: clock });
  const accounts = new Accounts({
    store,
    serviceMailbox: config.provider.service_mailbox,
    defaultQuota: config.limits.mailbox_quota,
    throttleLogins: !config.testing,
    secret: loginSecret(config.paths.data),
    now: clock,
  });
  const mailstore = new Mailstore(store, clock);
  const provider = { name: config.provider.name, mailDomain: config.provider.mail_domain };
  const issuer = new Issuer(provider, () => signer);
  const post = { mailDomain: provider.mailDomain, giveUpAfter: config.relay.give_up.notifications.ms };
  const findMailbox = (address: string) => accounts.find(address);
  const dkim = await dkimOf(config);
  const deliveryPoint = new DeliveryPoint({
    issuer,
    findMailbox,
    post,
    notifiedOf: (mailboxId, sender) => store.read('notifiedOf', { mailboxId, sender }),
    dkim,
  });
  const incomingPoint = new IncomingPoint({
    store,
    issuer,
    directory,
    deliveryPoint,
    antivirus,
    quarantine,
    findMailbox,
    telemetry,
    clock: certifying,
    serviceMailbox: config.provider.service_mailbox,
    post,
    ordinaryMail: config.policy.ordinary_mail,
    checkSender: senderCheck({
      hostname: config.hostname,
      isOwnDomain: (domain) => directory.isOwnDomain(domain),
      questions: networkQuestions(config.relay.dns),
    }),
    dkim,
    hostname: config.hostname,
    verify: (signed, from, at) => verifySignature({ signed, from, trust: directory.trust(), crls, at }),
  });
  return {
    config,
    telemetry,
    clock,
    certifyingClock: certifying,
    utc,
    tls,
    store,
    intake,
    signer,
    directory,
    crls,
    antivirus,
    quarantine,
    accounts,
    mailstore,
    issuer,
    incomingPoint,
    dkim,
    limits: openLimits(config, telemetry, monotonic),
  };
}

async function watchIntake(
  { storage, paths, limits }: Config,
  store: Store,
  telemetry: Telemetry,
  running: Running,
): Promise<Intake> {
  const { database, blobs } = storage;
  const folders = [
    paths.spool,
    ...(database.engine === 'sqlite' ? [dirname(database.file)] : []),
    ...(blobs.kind === 'file' ? [blobs.folder] : []),
  ];
  const bounds = { reserve: limits.disk_reserve, queue: limits.queue };
  const intake = new Intake({ measures: measuresOf(store, folders), telemetry, bounds });
  running.add({ stop: () => intake.stop() });
  await intake.start();
  return intake;
}

async function openQuarantineKeys(config: Config, telemetry: Telemetry): Promise<QuarantineKeys> {
  try {
    const keys = await QuarantineKeys.open(config.quarantine.key);
    for (const reason of keys.warnings) telemetry.event('server.warning', { reason });
    return keys;
  } catch (error) {
    if (!(error instanceof QuarantineKeyError)) throw error;
    throw new StartError(`quarantine.key: ${error.message}`, { cause: error });
  }
}

async function openSealingKey(config: Config, telemetry: Telemetry): Promise<Signer> {
  const { key, certificate, chain } = config.signing;
  if (key.kind !== 'file') throw new StartError('signing.key: this build signs with keys in files only');
  const signer = await openSigner({
    file: key.file,
    passphraseFile: key.passphrase_file,
    certificateFile: certificate,
    chainFile: chain,
  });
  for (const reason of signer.warnings) telemetry.event('server.warning', { reason });
  const { name, mail_domain: mailDomain } = config.provider;
  const faults = certificateProfileFaults(signer.certificate, name, mailDomain);
  if (faults.length > 0) throw new StartError(`signing.certificate: ${faults.join('; ')}`);
  return signer;
}

async function openDirectory(
  config: Config,
  telemetry: Telemetry,
  store: Store,
  signer: Signer,
  clock: () => number,
): Promise<Directory> {
  const anchors = [config.signing.chain, config.tls.ca].filter((file) => file !== null);
  const directory = await Directory.open({
    store,
    own: {
      providerName: config.provider.name,
      mailReceipt: config.provider.service_mailbox,
      mailDomain: config.provider.mail_domain,
      certificate: signer.certificate,
      trust: await Promise.all(anchors.map((file) => readFile(file))),
      ldifLocationUrl:
        config.web.public_url === null ? undefined : `${config.web.public_url}/igpec/provider.ldif.p7m`,
    },
    sources: config.directory.sources,
    snapshots: config.paths.directory,
    telemetry,
    clock,
  });
  await directory.refresh();
  await alarmIfUntrusted(directory, signer, telemetry);
  return directory;
}

/** Mail between our own users is verified like any other: our certificate must lead to a CA we believe. */
async function alarmIfUntrusted(directory: Directory, signer: Signer, telemetry: Telemetry): Promise<void> {
  const { paths, reason } = await findPaths(
    readCertificate(signer.certificate),
    signer.chain.map(readCertificate),
    directory.trust().anchors.map(({ raw }) => readCertificate(raw)),
    nodeCrypto,
  );
  if (paths.length > 0) return;
  telemetry.raise('own-certificate-untrusted', '', `${reason}: set signing.chain`);
}

/** DKIM by the mail domain, where a key is configured (decisions 16). */
async function dkimOf({ dkim, provider }: Config): Promise<DkimSign | undefined> {
  if (dkim === null) return undefined;
  const key = createPrivateKey(await readFile(dkim.key));
  const identity = { domain: provider.mail_domain, selector: dkim.selector, key };
  return (message, at) => dkimSign(message, { ...identity, at });
}
