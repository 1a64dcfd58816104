import assert from 'node:assert/strict';
import {
  type EvidenceReport,
  readTrust,
  reportsHtml,
  reportText,
  verifyEvidence,
} from '../../../src/evidence/index.js';
import { nodeCrypto } from '../../../src/smime/index.js';
import { changedSignature } from '../der-mutators.js';
import { readCorpus } from '../engine/corpus.js';
import { MADE, trustFiles } from '../signed.js';
import type { Target } from '../target.js';
import { messageWords } from '../words.js';

const trust = await readTrust(trustFiles(), { crypto: nodeCrypto, now: MADE });

const verified = (bytes: Buffer, original?: Buffer): Promise<EvidenceReport> =>
  verifyEvidence({
    file: 'messaggio.eml',
    bytes,
    original: original && { name: 'originale.eml', bytes: original },
    trust,
    crypto: nodeCrypto,
    now: MADE,
  });

/** What the genuine messages prove: the digest of the signed bytes to the facts. */
const genuine = new Map<string, unknown>();
for (const message of readCorpus(['signed']).values()) {
  const { verdict, signature, certified } = await verified(message);
  if (verdict === 'PROVEN' && signature !== null) genuine.set(signature.entitySha256, certified);
}
assert.ok(genuine.size >= 4, `${genuine.size} genuine messages`);

/** PROVEN is only what was signed, with the facts that were signed. */
function checkProven(report: EvidenceReport): void {
  if (report.verdict === 'PROVEN') {
    const digest = report.signature?.entitySha256 ?? '';
    assert.ok(genuine.has(digest), 'PROVEN over bytes nobody signed');
    assert.deepEqual(report.certified, genuine.get(digest));
  }
  report.nested.forEach(checkProven);
}

export const target: Target = {
  corpus: ['signed', '../../pec/golden'],
  covers: ['src/evidence/'],
  words: messageWords,
  mutators: [changedSignature],
  async run(input) {
    const report = await verified(input, input);
    checkProven(report);
    assert.ok(
      !/[\0-\x09\x0b-\x1f\x7f-\x9f]/.test(reportText(report)),
      'a control character for the terminal',
    );
    const page = reportsHtml([report]);
    assert.equal(page.match(/<script|<!DOCTYPE/gi)?.length, 1, 'an element of somebody else in the page');
  },
};
