import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  certificateHash,
  Directory,
  type ProviderRecord,
  type SourceLocation,
  writeProviderRecord,
} from '../../src/directory/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { type Identity, testPki } from '../support/pki.js';
import { Clock, Point } from '../support/points.js';

export const recordOf = (
  providerName: string,
  identity: Identity,
  ...managedDomains: string[]
): ProviderRecord => ({
  providerName,
  mailReceipt: `ricevute@${managedDomains[0]}`,
  managedDomains,
  certificates: [identity.certificate],
  certificateHashes: [certificateHash(identity.certificate)],
});

export const bytesOf = (...records: readonly ProviderRecord[]): Buffer =>
  Buffer.from(records.map(writeProviderRecord).join('\n'));

/** Alfa alone, and a directory of its own on the same store, with sources. */
export async function lonely(t: TestContext, sources: readonly SourceLocation[] = []) {
  const pki = await testPki();
  const clock = new Clock();
  const point = await Point.open(pki.alfa, pki.authority.certificatePem, clock);
  t.after(() => point.close());
  const telemetry = silentTelemetry();
  const open = (): Promise<Directory> =>
    Directory.open({
      store: point.store,
      own: {
        providerName: pki.alfa.name,
        mailReceipt: 'ricevute@pec.alfa.example',
        mailDomain: 'pec.alfa.example',
        certificate: pki.alfa.certificate,
        trust: [pki.authority.certificatePem],
        ldifLocationUrl: 'https://mail.pec.alfa.example/igpec/provider.ldif.p7m',
      },
      sources,
      snapshots: join(point.folder, 'directory'),
      telemetry,
      clock: clock.read,
    });
  return { pki, clock, point, telemetry, open, directory: await open() };
}
