import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  advance,
  type GenuineNotification,
  judgeNotification,
  noticeDeadlines,
  type Tracked,
  type TrackedFact,
} from '../../src/pec/tracking.js';

const HOUR = 3_600_000;
const DELAYS = { firstNotice: 12 * HOUR, secondNotice: 23 * HOUR };
const ALFA = 'Alfa PEC S.p.A.';
const BETA = 'Beta PEC S.r.l.';
const GAMMA = 'Gamma PEC S.p.A.';
const ANNA = 'Anna@pec.beta.example';
const ID = 'ceralacca1.20261122120000.0123456789abcdef@pec.alfa.example';

const certified: Tracked = {
  recipient: ANNA,
  kind: 'certificato',
  gestore: BETA,
  ...noticeDeadlines('certificato', 0, DELAYS),
  takenAt: null,
  outcome: null,
  outcomeAt: null,
};
const external: Tracked = {
  ...certified,
  kind: 'esterno',
  gestore: '',
  ...noticeDeadlines('esterno', 0, DELAYS),
};

const after = (tracked: Tracked, ...facts: TrackedFact[]): Tracked =>
  facts.reduce((row, fact, index) => advance(row, fact, index + 1).tracked, tracked);

const said = (changes: Partial<GenuineNotification>): GenuineNotification => ({
  tipo: 'avvenuta-consegna',
  errore: 'nessuno',
  identificativo: ID,
  gestore: BETA,
  ...changes,
});

const judged = (
  changes: Partial<GenuineNotification>,
  rows: readonly Tracked[] = [certified],
  recipient = ANNA,
  managedNowBy = BETA,
) =>
  judgeNotification(said(changes), recipient, 5, {
    ourselves: ALFA,
    outgoing: rows.length === 0 ? undefined : { tracking: rows },
    managedNowBy,
  });

describe('the way of one recipient', () => {
  test('decisions 2: accepted, taken, then one final outcome', () => {
    const taken = advance(certified, 'presa-in-carico', 7);
    assert.deepEqual([taken.change, taken.tracked.takenAt, taken.tracked.outcome], ['taken', 7, null]);
    for (const outcome of ['avvenuta-consegna', 'errore-consegna', 'errore-consegna-virus'] as const) {
      const { change, tracked } = advance(taken.tracked, outcome, 8);
      assert.deepEqual([change, tracked.outcome, tracked.outcomeAt], ['closed', outcome, 8]);
    }
  });

  test('decisions 2: a second outcome is a conflict and leaves the first', () => {
    const delivered = after(certified, 'avvenuta-consegna');
    const step = advance(delivered, 'errore-consegna', 9);
    assert.equal(step.change, 'conflict');
    assert.equal(step.tracked, delivered);
  });

  test('decisions 1: the same fact twice is a repeat', () => {
    assert.equal(advance(after(certified, 'avvenuta-consegna'), 'avvenuta-consegna', 9).change, 'repeat');
    assert.equal(advance(after(certified, 'presa-in-carico'), 'presa-in-carico', 9).change, 'repeat');
  });

  test('RFC 6109 3.5: a presa in carico overtaken by the consegna is recorded', () => {
    const step = advance(after(certified, 'avvenuta-consegna'), 'presa-in-carico', 9);
    assert.equal(step.change, 'taken');
    assert.equal(step.tracked.takenAt, 9);
    assert.equal(step.tracked.outcome, 'avvenuta-consegna');
  });
});

describe('silence (RFC 6109 3.1.6)', () => {
  test('decisions 3: deadlines at 12 h and 23 h from acceptance; an external recipient has none', () => {
    assert.deepEqual(noticeDeadlines('certificato', 5, DELAYS), {
      firstNoticeAt: 12 * HOUR + 5,
      secondNoticeAt: 23 * HOUR + 5,
    });
    assert.deepEqual(noticeDeadlines('esterno', 5, DELAYS), { firstNoticeAt: null, secondNoticeAt: null });
  });
});

describe('whose notification counts', () => {
  test("decisions 4: the recipient's gestore closes the tracking, case of the address apart", () => {
    const verdict = judged({}, [certified], 'anna@PEC.beta.example');
    assert.ok(verdict.verdict === 'counts');
    assert.equal(verdict.fact, 'avvenuta-consegna');
    assert.equal(verdict.tracked.outcome, 'avvenuta-consegna');
    assert.equal(verdict.inconsistency, undefined);
  });

  test('decisions 4: the gestore at acceptance and the one that manages the domain now both count', () => {
    assert.equal(judged({ gestore: BETA }, [certified], ANNA, GAMMA).verdict, 'counts');
    assert.equal(judged({ gestore: GAMMA }, [certified], ANNA, GAMMA).verdict, 'counts');
  });

  test('decisions 4: another gestore, an unknown recipient or an unknown message is an anomaly', () => {
    assert.deepEqual(judged({ gestore: GAMMA }), {
      verdict: 'anomaly',
      reason: `il gestore ${GAMMA} non gestisce l'indirizzo ${ANNA}`,
    });
    assert.equal(judged({}, [certified], 'altri@pec.beta.example').verdict, 'anomaly');
    assert.equal(judged({}, []).verdict, 'anomaly');
    assert.equal(judged({ gestore: '' }, [external], ANNA, '').verdict, 'anomaly');
  });

  test("decisions 4: what only the sender's gestore may say is an anomaly from anyone else", () => {
    for (const tipo of ['accettazione', 'non-accettazione', 'preavviso-errore-consegna'] as const) {
      assert.equal(judged({ tipo }).verdict, 'anomaly');
      assert.equal(judged({ tipo, gestore: ALFA }).verdict, 'untracked');
    }
    assert.equal(judged({ tipo: 'errore-consegna', errore: 'virus' }).verdict, 'anomaly');
    assert.equal(judged({ tipo: 'errore-consegna', errore: 'virus', gestore: ALFA }).verdict, 'counts');
  });

  test('decisions 4: a virus notice about nothing of ours is an alarm', () => {
    assert.equal(judged({ tipo: 'rilevazione-virus', errore: 'altro' }, []).verdict, 'alarm');
    assert.equal(
      judged({ tipo: 'rilevazione-virus' }, [certified], 'altri@pec.beta.example').verdict,
      'alarm',
    );
    assert.equal(judged({ tipo: 'rilevazione-virus', gestore: GAMMA }).verdict, 'anomaly');
  });

  test('decisions 12: a virus notice closes the tracking, whether it says virus or altro', () => {
    for (const errore of ['virus', 'altro'] as const) {
      const verdict = judged({ tipo: 'rilevazione-virus', errore });
      assert.ok(verdict.verdict === 'counts');
      assert.equal(verdict.fact, 'errore-consegna-virus');
    }
  });

  test('decisions 11: our own errore-consegna about a peer’s recipient counts, our consegna does not', () => {
    assert.equal(judged({ tipo: 'errore-consegna', errore: 'no-dest', gestore: ALFA }).verdict, 'counts');
    assert.equal(judged({ gestore: ALFA }).verdict, 'anomaly');
  });

  test('decisions 7: the same fact again is a repeat, another outcome an anomaly', () => {
    const delivered = [after(certified, 'avvenuta-consegna')];
    assert.equal(judged({}, delivered).verdict, 'repeat');
    assert.equal(judged({ tipo: 'errore-consegna', errore: 'altro' }, delivered).verdict, 'anomaly');
  });

  test('decisions 3: a genuine consegna for an external recipient counts and is registered as inconsistent', () => {
    const verdict = judged({}, [external]);
    assert.ok(verdict.verdict === 'counts');
    assert.match(verdict.inconsistency ?? '', /esterno alla posta certificata/);
    assert.equal(judged({}, [external], ANNA, '').verdict, 'anomaly');
  });

  test('an envelope is no notification', () => {
    assert.equal(judged({ tipo: 'posta-certificata' }).verdict, 'anomaly');
  });
});

describe('properties', () => {
  const fact = fc.constantFrom<TrackedFact>(
    'presa-in-carico',
    'avvenuta-consegna',
    'errore-consegna',
    'errore-consegna-virus',
  );
  const day = fc.integer({ min: 0, max: 30 * HOUR });

  test('decisions 2: no sequence of facts yields two final outcomes, nor changes one', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fact, day), { maxLength: 12 }), (facts) => {
        let row = certified;
        let closings = 0;
        for (const [what, at] of facts) {
          const step = advance(row, what, at);
          if (step.change === 'closed') closings += 1;
          if (row.outcome !== null) assert.equal(step.tracked.outcome, row.outcome);
          if (row.outcome !== null) assert.equal(step.tracked.outcomeAt, row.outcomeAt);
          row = step.tracked;
        }
        assert.ok(closings <= 1);
        assert.equal(closings === 1, row.outcome !== null);
      }),
    );
  });
});
