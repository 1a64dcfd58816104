import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHAIN_START, canonicalEvent, type LedgerEvent, leafHash, linkHash } from '../../src/ledger/index.js';

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

const text = fc.string({ unit: 'binary', maxLength: 12 });
const event: fc.Arbitrary<LedgerEvent> = fc.record({
  lane: fc.nat(),
  seq: fc.nat(),
  recordedAt: fc.nat(),
  identificativo: text,
  at: fc.nat(),
  event: text,
  sender: text,
  recipients: fc.array(text, { maxLength: 3 }),
  subject: text,
  related: fc.array(text, { maxLength: 3 }),
  gestore: text,
  detail: fc.dictionary(text, text, { maxKeys: 3 }),
});

test('leaf and link are the hashes of the definition', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), event, (salt, one) => {
      const leaf = leafHash(salt, one);
      assert.deepEqual(leaf, sha256(Buffer.of(0), salt, canonicalEvent(one)));
      assert.deepEqual(linkHash(CHAIN_START, leaf), sha256(Buffer.alloc(32), leaf));
    }),
  );
});

test('the encoding is readable back, so no two events share one', () => {
  fc.assert(
    fc.property(event, (one) => {
      const [
        format,
        lane,
        seq,
        recordedAt,
        identificativo,
        at,
        type,
        sender,
        recipients,
        subject,
        related,
        gestore,
        detail,
      ] = JSON.parse(canonicalEvent(one).toString('utf8')) as unknown[];
      assert.equal(format, 'ceralacca.event.1');
      assert.deepEqual(
        {
          lane,
          seq,
          recordedAt,
          identificativo,
          at,
          event: type,
          sender,
          recipients,
          subject,
          related,
          gestore,
        },
        withoutDetail(one),
      );
      assert.deepEqual(new Map(detail as [string, string][]), new Map(Object.entries(one.detail)));
    }),
  );
});

function withoutDetail(one: LedgerEvent): Omit<LedgerEvent, 'detail'> {
  const { detail: _, ...rest } = one;
  return rest;
}

test('the order in which details were written does not matter', () => {
  const base: LedgerEvent = {
    lane: 0,
    seq: 1,
    recordedAt: 2,
    identificativo: 'opec1@pec.alfa.example',
    at: 3,
    event: 'accettazione',
    sender: 'rossi@pec.alfa.example',
    recipients: ['bianchi@pec.beta.example'],
    subject: 'Perché no',
    related: [],
    gestore: 'Alfa PEC S.p.A.',
    detail: { a: '1', b: '2' },
  };
  assert.deepEqual(canonicalEvent(base), canonicalEvent({ ...base, detail: { b: '2', a: '1' } }));
  assert.equal(
    canonicalEvent(base).toString('utf8'),
    '["ceralacca.event.1",0,1,2,"opec1@pec.alfa.example",3,"accettazione","rossi@pec.alfa.example",' +
      '["bianchi@pec.beta.example"],"Perché no",[],"Alfa PEC S.p.A.",[["a","1"],["b","2"]]]',
  );
});
