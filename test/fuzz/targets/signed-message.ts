import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readHeader } from '../../../src/mime/index.js';
import { Rope } from '../../../src/rope/index.js';
import { createTrustStore, readSigned, verifySignature } from '../../../src/smime/index.js';
import { changedSignature } from '../der-mutators.js';
import { CORPUS, readCorpus } from '../engine/corpus.js';
import { MADE, trustFiles } from '../signed.js';
import type { Target } from '../target.js';
import { messageWords } from '../words.js';

const ca = trustFiles().find(({ name }) => name === 'ca.pem');
const trust = createTrustStore(ca?.bytes ?? '');

/** The entities that were signed, as their gestore signed them. */
const genuine = new Set<string>();
for (const name of ['busta', 'anomalia', 'accettazione', 'avvenuta-consegna', 'errore-consegna']) {
  const message = readCorpus(['signed']).get(join(CORPUS, 'signed', `${name}.eml`)) ?? Buffer.alloc(0);
  const signed = await readSigned(Rope.of(message));
  assert.ok(signed !== undefined, name);
  genuine.add((await signed.entity.bytes()).toString('latin1'));
}

/** Whatever is done to a signed message: its signature is valid only over the very bytes that were signed. */
export const target: Target = {
  corpus: ['signed'],
  covers: ['src/smime/read/', 'src/smime/verify/verify-signature', 'src/smime/verify/trust'],
  words: messageWords,
  mutators: [changedSignature],
  async run(input) {
    const message = Rope.of(input);
    const signed = await readSigned(message);
    if (signed === undefined) return;
    for (const from of ['posta-certificata@pec.alfa.example', 'posta-certificata@pec.beta.example']) {
      const { faults } = await verifySignature({ signed, from, trust, at: MADE });
      if (faults.length > 0) continue;
      const entity = (await signed.entity.bytes()).toString('latin1');
      assert.ok(genuine.has(entity), 'a valid signature over bytes nobody signed');
      assert.ok(input.toString('latin1').includes(entity));
      assert.ok((await readHeader(message)).all('content-type').length === 1);
    }
  },
};
