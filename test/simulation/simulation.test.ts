import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { explore, told } from './explore.js';
import type { Spoil } from './house.js';
import { play } from './play.js';
import { deliversAgain, forgetsItsLeases, receiptApart } from './sabotage.js';
import type { Scenario } from './scenario.js';
import { openTown, type Town } from './town.js';

const SEED = 20_260_302;

let town: Town;
before(async () => {
  town = await openTown();
});

describe('gestori simulated, with crashes, failing disks and a bad network', () => {
  it('keep what their clients were told (decisions 2, 3)', async () => {
    const finding = await explore(town, { seed: SEED, runs: 40 });
    assert.equal(finding && told(finding), undefined);
  });

  it('do the same again for the same scenario', async () => {
    const first = await play(town, eventful);
    const second = await play(town, eventful);
    assert.deepEqual(second.story, first.story);
    assert.deepEqual(first.violations, []);
  });

  const faults: Readonly<Record<string, Spoil>> = {
    'a relay that takes for sent what a dead process was sending': forgetsItsLeases,
    'a delivery point that does not know what it delivered before': deliversAgain,
    'a receipt written in a transaction of its own': receiptApart,
  };
  for (const [fault, spoil] of Object.entries(faults)) {
    it(`are found out, in few steps: ${fault}`, async (t) => {
      const finding = await explore(town, { seed: SEED, runs: 200, spoil, shrinks: 400 });
      assert.ok(finding, 'a violation');
      t.diagnostic(told(finding));
      assert.ok(finding.scenario.steps.length <= 8, told(finding));
    });
  }
});

const eventful: Scenario = {
  seed: 7,
  houses: 2,
  steps: [
    { do: 'trouble', from: 0, to: 1, fates: ['lost after', 'slow'] },
    {
      do: 'submit',
      house: 0,
      user: 0,
      to: [0, 4, 5, 6, 7].map((who) => ({ house: 1, who })),
      copies: 1,
      fault: 'none',
      receipt: 'completa',
    },
    { do: 'crash', house: 1, strike: 'dies after', after: 0, minutes: 5 },
    { do: 'wait', minutes: 60 },
    { do: 'disk', house: 1, strike: 'unknown', after: 1, writes: 2 },
    {
      do: 'submit',
      house: 1,
      user: 1,
      to: [{ house: 0, who: 1 }],
      copies: 0,
      fault: 'none',
      receipt: 'breve',
    },
    { do: 'cut', from: 1, to: 0, minutes: 3000 },
    { do: 'wait', minutes: 3000 },
  ],
};
