import assert from 'node:assert/strict';
import {
  CmsError,
  nodeCrypto,
  openAttached,
  parseSignedData,
  readCertificates,
  readCrls,
  SignatureError,
} from '../../../src/smime/index.js';
import { certificateProfileFaults } from '../../../src/smime/profile.js';
import { readWhole } from '../../../src/smime/read/asn1.js';
import { toDer } from '../../../src/smime/read/der.js';
import { changedElement } from '../der-mutators.js';
import { tolerated, toleratedLater } from '../expect.js';
import { MADE } from '../signed.js';
import type { Target } from '../target.js';

/** DER of what was read is read as DER again, and is its own DER. */
function checkDer(input: Buffer): void {
  const once = toDer(readWhole(input));
  assert.ok(Buffer.from(toDer(readWhole(once))).equals(once), 'DER that is not its own DER');
}

export const target: Target = {
  corpus: ['cms'],
  covers: ['src/smime/read/'],
  mutators: [changedElement],
  words: ['-----BEGIN CERTIFICATE-----\n', '-----END CERTIFICATE-----\n', '-----BEGIN X509 CRL-----\n'],
  longest: 8192,
  async run(input) {
    tolerated(() => checkDer(input), CmsError);
    tolerated(() => parseSignedData(input), CmsError);
    const certificates = tolerated(() => readCertificates(input), CmsError) ?? [];
    for (const certificate of certificates)
      certificateProfileFaults(certificate.raw, 'Alfa PEC S.p.A.', 'pec.alfa.example');
    const crls = tolerated(() => readCrls(input), CmsError) ?? [];
    assert.ok(crls.length + certificates.length <= input.length);
    const question = { at: MADE, anchors: certificates, revocation: undefined, crypto: nodeCrypto };
    await toleratedLater(() => openAttached(input, question), SignatureError);
  },
};
