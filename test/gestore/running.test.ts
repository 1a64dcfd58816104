import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Running } from '../../src/gestore/running.js';

function listener(told: string[], name: string, close: () => Promise<void> = async () => undefined) {
  return {
    listen: async () => ({ port: 1, address: '', family: '' }),
    reload: () => undefined,
    close: async () => {
      told.push(`${name} closes`);
      await close();
      told.push(`${name} closed`);
    },
  };
}

describe('what runs', () => {
  it('stops in order: all listeners at once, then the parts, the last started first', async () => {
    const told: string[] = [];
    const running = new Running();
    for (const name of ['signer', 'store']) running.add({ stop: async () => void told.push(name) });
    let release = (): void => undefined;
    const waits = new Promise<void>((resolve) => {
      release = resolve;
    });
    await running.listen('mx', listener(told, 'mx'), 0, '');
    running.add({ stop: async () => void told.push('relay') });
    await running.listen(
      'pop3s',
      listener(told, 'pop3s', () => waits),
      0,
      '',
    );
    await running.listen(
      'https',
      listener(told, 'https', async () => release()),
      0,
      '',
    );
    await running.stop();
    assert.deepEqual(told.slice(0, 3), ['mx closes', 'pop3s closes', 'https closes']);
    assert.deepEqual(told.slice(-3), ['relay', 'store', 'signer']);
    assert.deepEqual(told.slice(3, -3).sort(), ['https closed', 'mx closed', 'pop3s closed']);
  });

  it('stops everything, whatever fails, and tells all that failed', async () => {
    const told: string[] = [];
    const fails = (name: string) => async (): Promise<void> => {
      told.push(name);
      throw new Error(`${name} fails`);
    };
    const running = new Running();
    running.add({ stop: async () => void told.push('signer') });
    running.add({ stop: fails('store') });
    running.add({ stop: fails('relay') });
    await running.listen('mx', listener(told, 'mx', fails('mx')), 0, '');
    await assert.rejects(running.stop(), (error) => {
      assert.ok(error instanceof AggregateError);
      assert.equal(error.message, 'mx fails; relay fails; store fails');
      return true;
    });
    assert.deepEqual(told, ['mx closes', 'mx', 'relay', 'store', 'signer']);
    await running.stop();
  });

  it('a single failure comes as it is', async () => {
    const running = new Running();
    const failure = new Error('disk');
    running.add({
      stop: async () => {
        throw failure;
      },
    });
    await assert.rejects(running.stop(), failure);
  });
});
