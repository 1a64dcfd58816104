import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/index.js';
import { type Finding, failed, ok, warning } from './finding.js';

const monthMs = 30 * 24 * 3_600_000;

/** Files that hold secrets are their owner's alone. */
export async function checkSecrets({ tls, signing, paths, quarantine }: Config): Promise<Finding[]> {
  const { key } = signing;
  const files = [tls.key, ...(key.kind === 'file' ? [key.file, key.passphrase_file] : [key.pin_file])];
  const found: Finding[] = [];
  // These are made at the first start.
  files.push(...[join(paths.data, 'login.secret'), quarantine.key].filter((file) => existsSync(file)));
  for (const file of files) {
    if (file === null) continue;
    const { mode } = await stat(file);
    const note = `${file}: mode ${(mode & 0o777).toString(8).padStart(4, '0')}`;
    found.push((mode & 0o077) === 0 ? ok('secrets', note) : failed('secrets', `${note}, must be 0600`));
  }
  return found;
}

export async function checkTls({ tls, hostname }: Config): Promise<Finding[]> {
  const certificate = new X509Certificate(await readFile(tls.cert));
  if (!certificate.checkPrivateKey(createPrivateKey(await readFile(tls.key)))) {
    return [failed('tls', `${tls.key} is not the key of ${tls.cert}`)];
  }
  const named = certificate.checkHost(hostname) !== undefined;
  return [
    named
      ? ok('tls', `${tls.cert} names ${hostname}`)
      : failed('tls', `${tls.cert} does not name ${hostname}`),
    expiry('tls', certificate),
  ];
}

export async function checkSigning({ signing, provider }: Config): Promise<Finding[]> {
  const { certificateProfileFaults, openSigner } = await import('../../smime/index.js');
  if (signing.key.kind !== 'file') return [failed('signing', 'this build signs with keys in files only')];
  const signer = await openSigner({
    file: signing.key.file,
    passphraseFile: signing.key.passphrase_file,
    certificateFile: signing.certificate,
    chainFile: signing.chain,
  });
  const faults = certificateProfileFaults(signer.certificate, provider.name, provider.mail_domain);
  await signer.close();
  const profile = faults.map((fault) => failed('signing', fault));
  const certificate = new X509Certificate(signer.certificate);
  return [
    ...(profile.length > 0
      ? profile
      : [ok('signing', `${signing.certificate} has the PEC profile (RFC 6109 5.5)`)]),
    expiry('signing', certificate),
  ];
}

function expiry(check: string, { validFrom, validTo }: X509Certificate): Finding {
  const now = Date.now();
  const left = Date.parse(validTo) - now;
  if (Date.parse(validFrom) > now) return failed(check, `certificate not valid before ${validFrom}`);
  if (left <= 0) return failed(check, `certificate expired on ${validTo}`);
  const note = `certificate valid until ${validTo}`;
  return left < monthMs ? warning(check, note) : ok(check, note);
}
