import { X509Certificate } from 'node:crypto';
import { CommandError, type Run } from '../command.js';
import { withDirectory } from './open.js';
import { providerView } from './view.js';

export const run: Run = (call) =>
  withDirectory(call, async (directory) => {
    const wanted = call.argument(0);
    const named = directory.records().filter(({ providerName }) => providerName === wanted);
    const manager = directory.byDomain(wanted.toLowerCase());
    const records = named.length > 0 || manager === undefined ? named : [manager];
    if (records.length === 0)
      throw new CommandError(`no gestore and no managed domain "${wanted}" in the directory`);
    const views = records.map((record) => ({
      ...providerView(record),
      certificates: record.certificates.map(certificateView),
    }));
    if (call.json) {
      call.print(JSON.stringify(views, null, 2));
      return 0;
    }
    for (const { certificates, managedDomains, ...view } of views) {
      call.show(view);
      call.print(`managed domains (${managedDomains.length}):`);
      for (const domain of managedDomains) call.print(`  ${domain}`);
      call.print('certificates:');
      for (const { subject, notAfter, sha1 } of certificates)
        call.print(`  ${subject}, until ${notAfter}, SHA-1 ${sha1}`);
    }
    return 0;
  });

function certificateView(der: Buffer) {
  const certificate = new X509Certificate(der);
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    sha1: certificate.fingerprint.replaceAll(':', ''),
  };
}
