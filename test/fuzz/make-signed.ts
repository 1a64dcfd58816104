// Made once, by hand: the signed messages of the corpus and whom they are verified by. The keys are thrown away.
// node build/test/fuzz/make-signed.js, then MADE in signed.ts is set to what it prints.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rope } from '../../src/rope/index.js';
import { parseSignedData, readSigned, signAttached } from '../../src/smime/index.js';
import {
  anomaly,
  envelope,
  everyNotice,
  ldifOf,
  NOW,
  notice,
  original,
  sealed,
  world,
} from '../evidence/world.js';
import { CORPUS } from './engine/corpus.js';
import { TRUST } from './signed.js';

const { pki } = await world();
const { alfa, beta, authority } = pki;
const write = (folder: string, name: string, bytes: Uint8Array): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), bytes);
};
const signed = join(CORPUS, 'signed');
const cms = join(CORPUS, 'cms');

const messages = {
  'busta.eml': await sealed(await envelope(alfa), alfa.signer),
  'anomalia.eml': await sealed(await anomaly(beta, original()), beta.signer),
};
for (const [name, bytes] of Object.entries(messages)) write(signed, name, bytes);
for (const { by, notification } of await everyNotice()) {
  const kinds = ['accettazione', 'avvenuta-consegna', 'errore-consegna'];
  if (!kinds.includes(notification.kind)) continue;
  const gestore = by === 'alfa' ? alfa : beta;
  write(signed, `${notification.kind}.eml`, await sealed(notice(gestore, notification), gestore.signer));
}

const detached = await readSigned(Rope.of(messages['busta.eml']));
if (detached === undefined) throw new Error('not signed');
const ldif = ldifOf(alfa, beta);
write(cms, 'detached', detached.cms);
write(cms, 'certificate', parseSignedData(detached.cms).certificates[0] ?? new Uint8Array());
write(cms, 'authority', authority.certificate);
write(cms, 'authority.pem', Buffer.from(authority.certificatePem));
write(cms, 'list', authority.crl({ revoked: [{ certificate: beta.certificate, at: NOW }] }));
write(cms, 'attached', await signAttached(ldif, alfa.signer, NOW));

write(TRUST, 'ca.pem', Buffer.from(authority.certificatePem));
write(TRUST, 'igpec.ldif', ldif);
write(TRUST, 'empty.crl', authority.crl());
console.log(new Date(NOW).toISOString());
