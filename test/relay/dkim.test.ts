import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { dkimSign } from '../../src/relay/index.js';
import { Rope, type Source } from '../../src/rope/index.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');

interface Verified {
  readonly results: readonly { readonly status: { readonly result: string; readonly comment?: string } }[];
}

async function verify(message: Buffer, record: string): Promise<string[]> {
  const resolver = async (name: string): Promise<string[][]> => {
    assert.equal(name, 'pec2026._domainkey.pec.alfa.example');
    return [[record]];
  };
  const verified = (await dkimVerify(message, { resolver })) as Verified;
  return verified.results.map(({ status }) => [status.result, status.comment].filter(Boolean).join(' '));
}

const rsaRecord = `v=DKIM1; k=rsa; p=${rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
const edRecord = `v=DKIM1; k=ed25519; p=${ed25519.publicKey.export({ type: 'spki', format: 'der' }).subarray(12).toString('base64')}`;
const options = {
  domain: 'pec.alfa.example',
  selector: 'pec2026',
  key: rsa.privateKey,
  at: 1_700_000_000_000,
};
const header = [
  'Received: by somebody',
  'From: "Per conto di: a@b.it"\r\n <posta-certificata@pec.alfa.example>',
  'To: x@esterno.example,\r\n\ty@esterno.example',
  'Subject: POSTA CERTIFICATA:   prova',
  'Message-ID: <1@pec.alfa.example>',
  'X-Trasporto: posta-certificata',
  'MIME-Version: 1.0',
]
  .map((line) => `${line}\r\n`)
  .join('');

describe('DKIM', () => {
  it('is believed by another verifier, whatever the body', async () => {
    const bodies = [
      '',
      '\r\n',
      '\r\n\r\n',
      'ciao',
      'ciao\r\n',
      ' ciao \t\r\n\r\n x\r\n\r\n\r\n',
      '\xe8\r\n.\r\n',
    ];
    for (const body of bodies) {
      const signed = await dkimSign(Rope.of(`${header}\r\n${body}`), options);
      assert.deepEqual(await verify(await signed.bytes(), rsaRecord), ['pass'], JSON.stringify(body));
    }
  });

  it('is believed with an Ed25519 key', async () => {
    const signed = await dkimSign(Rope.of(`${header}\r\nciao\r\n`), { ...options, key: ed25519.privateKey });
    assert.deepEqual(await verify(await signed.bytes(), edRecord), ['pass']);
  });

  it('does not depend on how the body is cut', async () => {
    const piece = fc.constantFrom('\r\n', '\r', '\n', 'a', '\r\n\r\n');
    const whole = async (rope: Rope): Promise<string | undefined> =>
      /bh=([^;]+);/.exec((await (await dkimSign(rope, options)).bytes()).toString('latin1'))?.[1];
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const text = `${header}\r\n${pieces.join('')}`;
        const cut: Source[] = [...text].map((character) => {
          const bytes = Buffer.from(character, 'latin1');
          return { length: 1, resident: bytes, read: async () => bytes };
        });
        assert.equal(await whole(Rope.of(...cut)), await whole(Rope.of(text)));
      }),
      { numRuns: 60 },
    );
  });

  it('breaks when body or header change, or a second From is put on top', async () => {
    const signed = (await (await dkimSign(Rope.of(`${header}\r\nciao\r\n`), options)).bytes()).toString(
      'latin1',
    );
    for (const changed of [
      signed.replace('ciao', 'Ciao'),
      signed.replace('prova', 'altra'),
      `From: somebody@else.example\r\n${signed}`,
    ]) {
      const [result] = await verify(Buffer.from(changed, 'latin1'), rsaRecord);
      assert.doesNotMatch(result ?? '', /^pass/);
    }
  });
});
