/**
 * Makes a gestore from nothing. Everything is made in a folder beside its place and put there at the end, so that a
 * failure half-way leaves nothing behind that a second try would refuse to overwrite.
 */
import { generateKeyPair } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Config, checkConfig, renderConfig } from '../../config/index.js';
import { type Call, CommandError, type Run } from '../command.js';
import { type InitOptions, initOptions } from './options.js';

const folders = ['config', 'certs', 'data'] as const;

export const run: Run = async (call) => {
  const options = initOptions(call);
  refuseOverwriting(options.dir);
  const made = !existsSync(options.dir);
  mkdirSync(options.dir, { recursive: true });
  const stage = mkdtempSync(join(options.dir, '.init-'));
  try {
    await makeGestore(stage, options);
    putInPlace(stage, options.dir);
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    if (made) removeIfEmpty(options.dir);
    throw error;
  }
  tell(call, options);
  return 0;
};

function refuseOverwriting(dir: string): void {
  for (const folder of folders) {
    const path = join(dir, folder);
    if (existsSync(path) && readdirSync(path).length > 0) {
      throw new CommandError(`${path} is there already and is not overwritten`);
    }
  }
}

async function makeGestore(stage: string, options: InitOptions): Promise<void> {
  mkdirSync(join(stage, 'config'));
  mkdirSync(join(stage, 'certs'));
  mkdirSync(join(stage, 'data'), { mode: 0o700 });
  for (const folder of ['blobs', 'spool', 'registro', 'directory']) {
    mkdirSync(join(stage, 'data', folder), { mode: 0o700 });
  }
  const file = join(stage, 'config', 'gestore.yaml');
  const text = renderConfig(configuration(options));
  // Also refuses what only the configuration knows to be wrong, such as a clamd address.
  const config = checkConfig(text, file, {});
  writeFileSync(file, text, { mode: 0o640 });
  await makeCertificates(join(stage, 'certs'), options);
  await (await import('../../antivirus/index.js')).QuarantineKeys.open(config.quarantine.key);
  await makeStore(config, options);
}

function configuration({ name, domain, mailDomain, host, ports, address, clamd }: InitOptions) {
  return {
    provider: { name, mail_domain: mailDomain, service_mailbox: `ricevute@${domain}` },
    hostname: host,
    listen: { address, ...ports },
    tls: { ca: 'certs/ca.pem' },
    dkim: { selector: 'pec', key: 'certs/dkim.key' },
    antivirus: clamd === undefined ? { builtin: 'eicar' } : { clamd },
  };
}

async function makeCertificates(folder: string, options: InitOptions): Promise<void> {
  const { createDevelopmentPki } = await import('../../smime/index.js');
  const pki = await createDevelopmentPki({
    providerName: options.name,
    mailDomain: options.mailDomain,
    hostNames: [options.host],
    addresses: isIP(options.address) === 0 ? [] : [options.address],
    keyBits: options.keyBits,
    now: Date.now(),
  });
  for (const name of ['ca', 'tls', 'signing'] as const) {
    writeFileSync(join(folder, `${name}.pem`), pki[name].cert, { mode: 0o644 });
    writeFileSync(join(folder, `${name}.key`), pki[name].key, { mode: 0o600 });
  }
  // Of its own: the signing key seals and does nothing else (DM 2-11-2005 art. 7).
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  writeFileSync(join(folder, 'dkim.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
}

async function makeStore(config: Config, { domain }: InitOptions): Promise<void> {
  const [{ openStore }, { Accounts }] = await Promise.all([
    import('../../storage/index.js'),
    import('../../accounts/index.js'),
  ]);
  const store = await openStore(config.storage);
  try {
    const accounts = new Accounts({
      store,
      serviceMailbox: config.provider.service_mailbox,
      defaultQuota: config.limits.mailbox_quota,
      throttleLogins: false,
    });
    await accounts.addDomain(domain);
    await accounts.addServiceMailbox();
  } finally {
    await store.close();
  }
}

function putInPlace(stage: string, dir: string): void {
  for (const folder of folders) {
    const target = join(dir, folder);
    // An empty folder may stand there; one that was filled meanwhile makes this fail.
    if (existsSync(target)) rmdirSync(target);
    renameSync(join(stage, folder), target);
  }
  rmSync(stage, { recursive: true });
}

function removeIfEmpty(dir: string): void {
  if (readdirSync(dir).length === 0) rmdirSync(dir);
}

function tell(call: Call, { dir, name, domain, clamd }: InitOptions): void {
  const file = join(dir, 'config', 'gestore.yaml');
  call.print(`${name}: made in ${dir}`);
  call.print(`  configuration  ${file}`);
  call.print(
    `  certificates   ${join(dir, 'certs')} (a development CA: put real ones there before real use)`,
  );
  call.print(
    `  domain         ${domain}, service mailbox ricevute@${domain} (no password: "mailbox passwd" sets one)`,
  );
  if (clamd === undefined)
    call.print('  antivirus      finds only the EICAR test file: see "antivirus" in the configuration');
  call.print('Next:');
  call.print(`  ceralacca mailbox add NAME@${domain} --password-stdin -c ${file}`);
  call.print(`  ceralacca serve -c ${file}`);
}
