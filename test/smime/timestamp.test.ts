import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { askTimestamp, createTrustStore, TimestampError, verifyTimestamp } from '../../src/smime/index.js';
import { extendedKeyUsage } from '../../src/smime/keys/issue-certificate.js';
import { Purpose } from '../../src/smime/read/extensions.js';
import { newNonce, timestampRequest } from '../../src/smime/timestamp/timestamp.js';
import { openssl, type Scratch, scratch } from '../support/openssl.js';
import { createAuthority } from '../support/pki.js';
import { needs } from '../support/programs.js';
import { startTimestampAuthority, type TestAuthority } from '../support/timestamp-authority.js';

const digest = createHash('sha256').update('radice').digest();
const other = createHash('sha256').update('altro').digest();

describe('smime: time stamps (RFC 3161) of a real authority', { skip: needs('openssl') }, () => {
  let authority: TestAuthority;
  let files: Scratch;
  before(async () => {
    files = scratch();
    authority = await startTimestampAuthority();
  });
  after(async () => {
    await authority.close();
    files.remove();
  });

  it('the question is one openssl reads', () => {
    const query = files.write('q.tsq', timestampRequest(digest, newNonce()));
    const text = openssl('ts', '-query', '-in', query, '-text').stdout.toString();
    assert.match(text, /Hash Algorithm: sha256/);
    assert.match(text, /Certificate required: yes/);
    assert.match(text, /Nonce: 0x[4-7]/);
  });

  it('a stamp is had, verified, and verified by openssl', async () => {
    const { response, timestamp } = await askTimestamp(authority, digest);
    assert.ok(Math.abs(timestamp.at - Date.now()) < 3_600_000);
    assert.deepEqual([timestamp.accuracy, timestamp.policy], [1501, '1.2.3.4.1']);
    assert.equal(timestamp.signer.organization, 'Marche S.p.A.');
    const answer = files.write('a.tsr', response);
    const hash = digest.toString('hex');
    assert.ok(openssl('ts', '-verify', '-in', answer, '-digest', hash, '-CAfile', authority.caFile).ok);
    await assert.rejects(
      verifyTimestamp(response, { digest: other, trust: authority.trust }),
      /over something else/,
    );
    await assert.rejects(
      verifyTimestamp(response, { digest, nonce: newNonce(), trust: authority.trust }),
      /nonce/,
    );
  });

  it('ESSCertID with SHA-1, as older authorities write it, is read too', async () => {
    const older = await startTimestampAuthority({ essAlgorithm: 'sha1' });
    try {
      assert.ok((await askTimestamp(older, digest)).timestamp.at > 0);
    } finally {
      await older.close();
    }
  });

  it('an authority nobody vouches for, or whose CA issues for mail only, is not believed', async () => {
    const response = await authority.stamp(timestampRequest(digest, newNonce()));
    const stranger = await createAuthority({ name: 'Altra CA' });
    await assert.rejects(
      verifyTimestamp(response, { digest, trust: createTrustStore(stranger.certificate) }),
      TimestampError,
    );
    const forMail = await startTimestampAuthority({
      root: await createAuthority({ more: [extendedKeyUsage(Purpose.emailProtection)] }),
    });
    try {
      await assert.rejects(askTimestamp(forMail, digest), /non può emettere/);
    } finally {
      await forMail.close();
    }
  });

  it('a refusal, a wrong answer, one that is too long and none at all are errors', async () => {
    const refusal = Buffer.from('300f300d020102300806066e6f6e20736f', 'hex');
    const bodies: readonly [Buffer, number, string][] = [
      [Buffer.from('3005300302010230', 'hex').subarray(0, 7), 200, 'application/timestamp-reply'],
      [refusal, 200, 'application/timestamp-reply'],
      [Buffer.from('<html>'), 200, 'text/html'],
      [Buffer.from(''), 503, 'application/timestamp-reply'],
      [Buffer.alloc(300_000, 0x30), 200, 'application/timestamp-reply'],
    ];
    for (const [body, status, type] of bodies) {
      authority.manner = { kind: 'answers', body, status, type };
      await assert.rejects(askTimestamp(authority, digest), Error);
    }
    authority.manner = { kind: 'silent' };
    await assert.rejects(askTimestamp(authority, digest, 300), /took too long/);
    authority.manner = { kind: 'stamps' };
  });

  it('an answer to another question is refused though the digest is the same', async () => {
    const body = await authority.stamp(timestampRequest(digest, newNonce()));
    authority.manner = { kind: 'answers', body };
    await assert.rejects(askTimestamp(authority, digest), /nonce/);
    authority.manner = { kind: 'stamps' };
  });

  it('no changed octet makes another stamp: it is refused, or says the same', async () => {
    const response = await authority.stamp(timestampRequest(digest, newNonce()));
    const genuine = await verifyTimestamp(response, { digest, trust: authority.trust });
    await fc.assert(
      fc.asyncProperty(fc.nat(response.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const forged = Buffer.from(response);
        forged[at] = (forged[at] ?? 0) ^ flip;
        try {
          const found = await verifyTimestamp(forged, { digest, trust: authority.trust });
          assert.deepEqual(
            [found.at, found.serial, found.policy],
            [genuine.at, genuine.serial, genuine.policy],
          );
        } catch (error) {
          assert.ok(error instanceof TimestampError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
