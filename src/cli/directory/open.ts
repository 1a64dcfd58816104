import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/index.js';
import type { Directory } from '../../directory/index.js';
import type { Call } from '../command.js';
import { type Workplace, withStore } from '../store.js';

/** Opens the directory as the store knows it. Domains claimed twice are told on standard error. */
export function withDirectory<T>(
  call: Call,
  work: (directory: Directory, place: Workplace) => Promise<T>,
): Promise<T> {
  return withStore(call, async (place) => {
    const [{ Directory }, { silentTelemetry }] = await Promise.all([
      import('../../directory/index.js'),
      import('../../telemetry/index.js'),
    ]);
    const telemetry = silentTelemetry();
    const { config, store } = place;
    const directory = await Directory.open({
      store,
      own: ownRecord(config),
      sources: config.directory.sources,
      snapshots: config.paths.directory,
      telemetry,
      clock: Date.now,
    });
    const done = await work(directory, place);
    for (const { name, fields } of telemetry.recorded) {
      // What lasts is the server's to tell; the command says itself which source failed.
      if (name === 'alarm' && fields.standing !== true) call.remark(`ceralacca: ${fields.reason}`);
    }
    return done;
  });
}

function ownRecord({ provider, signing, directory, web }: Config) {
  const published = directory.publish && web.public_url !== null;
  return {
    providerName: provider.name,
    mailReceipt: provider.service_mailbox,
    mailDomain: provider.mail_domain,
    certificate: new X509Certificate(readFileSync(signing.certificate)).raw,
    // Nothing is verified against our own CAs here.
    trust: [],
    ldifLocationUrl: published ? `${web.public_url}/igpec/provider.ldif.p7m` : undefined,
  };
}
