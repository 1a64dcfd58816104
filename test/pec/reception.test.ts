import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sortRecipients } from '../../src/pec/reception.js';

const daticert = {
  identificativo: 'id@pec.alfa.example',
  destinatari: [
    { address: 'anna@pec.beta.example', kind: 'certificato' },
    { address: 'Bruno@pec.beta.example', kind: 'certificato' },
  ],
} as const;

describe('the recipients of a valid envelope', () => {
  test('decisions 14: new ones once each, case kept', () => {
    const sorted = sortRecipients(['ANNA@pec.beta.example', 'anna@pec.beta.example'], daticert, 'd1', []);
    assert.deepEqual(sorted, { fresh: ['ANNA@pec.beta.example'], repeated: [], anomalies: [] });
  });

  test('decisions 6: a RCPT that daticert does not name is an anomaly for that recipient alone', () => {
    const sorted = sortRecipients(['anna@pec.beta.example', 'carla@pec.beta.example'], daticert, 'd1', []);
    assert.deepEqual(sorted.fresh, ['anna@pec.beta.example']);
    assert.deepEqual(sorted.anomalies, [
      {
        recipient: 'carla@pec.beta.example',
        reason:
          "l'indirizzo email carla@pec.beta.example non è tra i destinatari indicati nei dati di certificazione",
      },
    ]);
  });

  test('decisions 7: old recipients get their stored receipts, new ones new receipts', () => {
    const known = [{ recipient: 'Anna@pec.beta.example', digest: 'd1', receipt: 7 }];
    const sorted = sortRecipients(['anna@pec.beta.example', 'bruno@pec.beta.example'], daticert, 'd1', known);
    assert.deepEqual(sorted, { fresh: ['bruno@pec.beta.example'], repeated: known, anomalies: [] });
  });

  test('decisions 7: the same id with other bytes is an anomaly, never swallowed', () => {
    const known = [{ recipient: 'anna@pec.beta.example', digest: 'd1' }];
    const sorted = sortRecipients(['anna@pec.beta.example', 'bruno@pec.beta.example'], daticert, 'd2', known);
    assert.deepEqual(sorted.fresh, []);
    assert.deepEqual(sorted.repeated, []);
    assert.deepEqual(
      sorted.anomalies.map(({ recipient }) => recipient),
      ['anna@pec.beta.example', 'bruno@pec.beta.example'],
    );
  });

  test('every RCPT ends in exactly one place', () => {
    const address = fc.constantFrom(
      'anna@pec.beta.example',
      'BRUNO@pec.beta.example',
      'c@pec.beta.example',
      'D@x.example',
    );
    const reception = fc.record({ recipient: address, digest: fc.constantFrom('d1', 'd2') });
    fc.assert(
      fc.property(fc.uniqueArray(address), fc.array(reception), (accepted, known) => {
        const { fresh, repeated, anomalies } = sortRecipients(accepted, daticert, 'd1', known);
        const placed = [
          ...fresh,
          ...repeated.map((row) => row.recipient),
          ...anomalies.map((row) => row.recipient),
        ];
        assert.deepEqual(placed.sort(), [...accepted].sort());
      }),
    );
  });
});
