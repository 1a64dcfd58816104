import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from '../../src/accounts/turns.js';

/** Work that ends when told to, and remembers the order in which it began. */
function desk(turns: Turns) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  return {
    begun,
    ask: (network: string, name: string) =>
      turns.run(network, async () => {
        begun.push(name);
        await new Promise<void>((resolve) => ends.push(resolve));
        return name;
      }),
    async end(): Promise<void> {
      ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('turns', () => {
  it('run so many at once; the networks take turns', async () => {
    const { begun, ask, end } = desk(new Turns({ atOnce: 1, waiting: 10, waitingOfNetwork: 10 }));
    const all = [
      ask('flood', 'f1'),
      ask('flood', 'f2'),
      ask('flood', 'f3'),
      ask('flood', 'f4'),
      ask('office', 'o1'),
      ask('home', 'h1'),
    ];
    for (let n = 0; n < 6; n++) await end();
    assert.deepEqual(begun, ['f1', 'f2', 'o1', 'h1', 'f3', 'f4']);
    assert.deepEqual(await Promise.all(all), ['f1', 'f2', 'f3', 'f4', 'o1', 'h1']);
  });

  it('let so many wait, of one network and in all', async () => {
    const turns = new Turns({ atOnce: 1, waiting: 3, waitingOfNetwork: 2 });
    const { ask, end } = desk(turns);
    const taken = [ask('a', '1'), ask('a', '2'), ask('a', '3')];
    assert.equal(await ask('a', '4'), undefined);
    taken.push(ask('b', '5'));
    assert.equal(await ask('c', '6'), undefined);
    for (let n = 0; n < 4; n++) await end();
    assert.deepEqual(await Promise.all(taken), ['1', '2', '3', '5']);
    assert.equal(turns.waiting, 0);
  });

  it('go on after a failure', async () => {
    const turns = new Turns({ atOnce: 1, waiting: 1, waitingOfNetwork: 1 });
    const failing = turns.run('a', async () => {
      throw new Error('no memory');
    });
    const next = turns.run('a', async () => 'done');
    await assert.rejects(failing, /no memory/);
    assert.equal(await next, 'done');
  });
});
