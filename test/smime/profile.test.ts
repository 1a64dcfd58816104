import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { certificateProfileFaults } from '../../src/smime/index.js';
import {
  basicConstraints,
  type ExtensionValue,
  keyUsage,
  subjectAltName,
} from '../../src/smime/keys/issue-certificate.js';
import { der } from '../../src/smime/read/der.js';
import { type Authority, createAuthority, type LeafOptions } from '../support/pki.js';
import { FROM } from './messages.js';

describe('certificateProfileFaults (RFC 6109 5.5)', () => {
  let authority: Authority;
  before(async () => {
    authority = await createAuthority();
  });
  const faults = async (options: LeafOptions, name = 'Alfa PEC S.p.A.', domain = 'pec.alfa.example') =>
    certificateProfileFaults((await authority.issue(options)).certificate, name, domain);
  const name = subjectAltName({ emails: [FROM] });
  const usage = keyUsage('digitalSignature');
  const flipped = (extension: ExtensionValue): ExtensionValue => ({
    ...extension,
    critical: !extension.critical,
  });

  it('finds nothing against the profile', async () => {
    assert.deepEqual(await faults({}), []);
    assert.deepEqual(await faults({}, 'Alfa PEC S.p.A.', 'PEC.Alfa.Example'), []);
    const inCommonName: LeafOptions = {
      subject: [
        ['C', 'IT'],
        ['CN', 'Alfa PEC S.p.A.'],
      ],
    };
    assert.deepEqual(await faults(inCommonName), []);
    assert.deepEqual(
      await faults({ extensions: [name, keyUsage('digitalSignature', 'nonRepudiation')] }),
      [],
    );
  });

  it('finds each departure from it', async () => {
    const one = async (options: LeafOptions, pattern: RegExp, ...who: string[]) => {
      const found = await faults(options, ...who);
      assert.equal(found.length, 1, found.join('; '));
      assert.match(found[0] ?? '', pattern);
    };
    await one({}, /nome del gestore/, 'Beta PEC S.r.l.');
    await one({}, /posta-certificata@pec\.beta\.example/, 'Alfa PEC S.p.A.', 'pec.beta.example');
    await one({ extensions: [name] }, /keyUsage manca/);
    await one({ extensions: [name, flipped(usage)] }, /keyUsage non è critica/);
    await one({ extensions: [name, keyUsage('keyAgreement')] }, /digitalSignature/);
    await one({ extensions: [usage] }, /subjectAltName manca/);
    await one({ extensions: [usage, flipped(name)] }, /subjectAltName è critica/);
    await one({ more: [flipped(basicConstraints(false))] }, /basicConstraints/);
    await one({ more: [{ oid: '1.2.3.4', critical: true, value: der(0x05) }] }, /1\.2\.3\.4 è critica/);
    assert.match(certificateProfileFaults(Buffer.from('no'), 'x', 'y')[0] ?? '', /non è leggibile/);
  });
});
