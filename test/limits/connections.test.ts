import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Connections, type Entry, Transfers } from '../../src/limits/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';

const leave = (entry: Entry): void => {
  if (entry.kind !== 'dropped') entry.leave();
};

describe('connections', () => {
  const bounds = { total: 6, ofProtocol: 4, ofSource: 2 };

  it('are so many of one source to one protocol', () => {
    const connections = new Connections(bounds);
    const enter = (protocol: 'mx' | 'pop3', peer: string) => connections.enter({ protocol, peer });
    assert.equal(enter('mx', '2001:db8::1').kind, 'admitted');
    const second = enter('mx', '2001:db8::2');
    assert.equal(second.kind, 'admitted');
    assert.equal(enter('mx', '2001:db8::3').kind, 'turned-away');
    assert.equal(enter('mx', '2001:db8:0:1::3').kind, 'admitted');
    assert.equal(enter('pop3', '2001:db8::3').kind, 'admitted');
    leave(second);
    leave(second);
    assert.equal(enter('mx', '2001:db8::4').kind, 'admitted');
    assert.equal(enter('mx', '2001:db8::5').kind, 'turned-away');
  });

  it('are so many of one protocol and so many in all', () => {
    const connections = new Connections(bounds);
    const enter = (protocol: 'submission' | 'pop3' | 'https', last: number) =>
      connections.enter({ protocol, peer: `192.0.2.${last}` }).kind;
    for (let n = 0; n < 4; n++) assert.equal(enter('pop3', n), 'admitted');
    assert.equal(enter('pop3', 9), 'turned-away');
    assert.equal(enter('submission', 1), 'admitted');
    assert.equal(enter('https', 1), 'admitted');
    assert.equal(enter('https', 2), 'turned-away');
    assert.equal(connections.total, 6);
  });

  it('of the other ports never take the place of incoming mail, nor it theirs', () => {
    const connections = new Connections({ total: 4, ofProtocol: 4, ofSource: 4 });
    const enter = (protocol: 'mx' | 'pop3' | 'submission') =>
      connections.enter({ protocol, peer: '192.0.2.1' });
    const incoming = Array.from({ length: 4 }, () => enter('mx'));
    assert.ok(incoming.every(({ kind }) => kind === 'admitted'));
    for (let n = 0; n < 4; n++) assert.equal(enter('pop3').kind, 'admitted');
    assert.equal(enter('submission').kind, 'turned-away');
    for (const entry of incoming) leave(entry);
    for (let n = 0; n < 4; n++) assert.equal(enter('mx').kind, 'admitted');
    assert.equal(enter('mx').kind, 'turned-away');
    assert.equal(enter('submission').kind, 'turned-away');
    assert.equal(connections.total, 8);
  });

  it('too many are told so, and past 64 of them dropped; telemetry knows of all', () => {
    const telemetry = silentTelemetry();
    const connections = new Connections({ ...bounds, ofProtocol: 1 }, telemetry);
    const admitted = connections.enter({ protocol: 'mx', peer: '192.0.2.1', session: 'a' });
    const others = Array.from({ length: 65 }, () => connections.enter({ protocol: 'mx', peer: '192.0.2.2' }));
    assert.equal(others.filter(({ kind }) => kind === 'turned-away').length, 64);
    assert.equal(others.at(-1)?.kind, 'dropped');
    for (const entry of others) leave(entry);
    assert.equal(connections.enter({ protocol: 'mx', peer: '192.0.2.2' }).kind, 'turned-away');
    leave(admitted);
    const names = telemetry.recorded.map(({ name }) => name);
    assert.equal(names.filter((name) => name === 'session.refused').length, 66);
    assert.equal(names.at(0), 'session.opened');
    assert.equal(names.at(-1), 'session.closed');
    assert.equal(names.filter((name) => name === 'session.closed').length, 1);
  });
});

describe('transfers', () => {
  it('are so many of one source and so many in all', () => {
    const transfers = new Transfers({ total: 3, ofSource: 2, octets: 100, octetsOfSource: 100 });
    const first = transfers.begin('192.0.2.1');
    assert.ok(first);
    assert.ok(transfers.begin('192.0.2.1'));
    assert.equal(transfers.begin('192.0.2.1'), undefined);
    assert.ok(transfers.begin('192.0.2.2'));
    assert.equal(transfers.begin('192.0.2.3'), undefined);
    first.end();
    first.end();
    assert.equal(transfers.total, 2);
    assert.ok(transfers.begin('192.0.2.3'));
  });

  it('hold so many octets, of one source and in all, until they end', () => {
    const transfers = new Transfers({ total: 9, ofSource: 9, octets: 100, octetsOfSource: 60 });
    const [one, two, three] = ['192.0.2.1', '192.0.2.1', '192.0.2.2'].map((peer) => transfers.begin(peer));
    assert.ok(one && two && three);
    assert.ok(one.grow(40));
    assert.equal(two.grow(21), false);
    assert.ok(two.grow(20));
    assert.equal(three.grow(41), false);
    assert.ok(three.grow(40));
    assert.equal(transfers.octets, 100);
    one.end();
    assert.equal(one.grow(1), false);
    assert.ok(two.grow(40));
    two.end();
    three.end();
    assert.equal(transfers.octets, 0);
  });
});
