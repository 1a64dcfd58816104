import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTelemetry, silentTelemetry } from '../../src/telemetry/index.js';

function capture(options: { pretty: boolean; level?: 'info' | 'debug' }) {
  const lines: string[] = [];
  const telemetry = createTelemetry(
    { level: options.level ?? 'info', pretty: options.pretty },
    { write: (line: string) => void lines.push(line) },
  );
  return { telemetry, lines };
}

const accepted = {
  identificativo: 'ceralacca1.20261122101530.0123456789abcdef@pec.alfa.example',
  mailbox: 'mario@pec.alfa.example',
  certified: 1,
  external: 0,
  size: 812,
  ms: 12.5,
};

describe('telemetry', () => {
  it('writes one JSON line an event, with the identificativo to follow a message by', () => {
    const { telemetry, lines } = capture({ pretty: false });
    telemetry.event('submission.accepted', accepted);
    assert.equal(lines.length, 1);
    const { time, pid, ...rest } = JSON.parse(lines[0] ?? '');
    assert.ok(!Number.isNaN(Date.parse(time)));
    assert.equal(pid, process.pid);
    assert.deepEqual(rest, { level: 30, event: 'submission.accepted', ...accepted, msg: 'message accepted' });
  });

  it('counts from the same event', async () => {
    const { telemetry } = capture({ pretty: false });
    telemetry.event('submission.accepted', accepted);
    telemetry.event('submission.accepted', accepted);
    telemetry.event('alarm', { name: 'queue-held', reason: 'given up' });
    telemetry.event('session.opened', { protocol: 'imap', peer: '127.0.0.1' });
    telemetry.event('session.opened', { protocol: 'imap', peer: '127.0.0.1' });
    telemetry.event('session.closed', { protocol: 'imap', peer: '127.0.0.1' });
    telemetry.gauge('queue_rows', 'Rows in the queue', async () => 7);
    const text = await telemetry.metrics();
    assert.match(text, /^ceralacca_submissions_accepted_total 2$/m);
    assert.match(text, /^ceralacca_submission_seconds_sum 0\.025$/m);
    assert.match(text, /^ceralacca_alarms_total\{name="queue-held"\} 1$/m);
    assert.match(text, /^ceralacca_sessions_open\{protocol="imap"\} 1$/m);
    assert.match(text, /^ceralacca_sessions_total\{protocol="imap"\} 2$/m);
    assert.match(text, /^ceralacca_queue_rows 7$/m);
    assert.match(text, /^process_resident_memory_bytes/m);
  });

  it('a state that lasts is told when it begins and when it is over, and a gauge has it meanwhile', async () => {
    const { telemetry, lines } = capture({ pretty: false });
    telemetry.clear('peer-tls', 'b.example');
    for (const about of ['b.example', 'c.example', 'b.example']) {
      telemetry.raise('peer-tls', about, 'certificate has expired');
    }
    assert.match(await telemetry.metrics(), /^ceralacca_alarms_standing\{name="peer-tls"\} 2$/m);
    assert.match(await telemetry.metrics(), /^ceralacca_alarms_total\{name="peer-tls"\} 2$/m);
    assert.deepEqual(
      telemetry.standing().map(({ about }) => about),
      ['b.example', 'c.example'],
    );
    telemetry.clear('peer-tls', 'b.example');
    telemetry.clear('peer-tls', 'c.example');
    telemetry.clear('peer-tls', 'b.example');
    assert.match(await telemetry.metrics(), /^ceralacca_alarms_standing\{name="peer-tls"\} 0$/m);
    const told = lines.map((line) => JSON.parse(line)).map(({ event, about }) => `${event} ${about}`);
    const [b, c] = ['b.example', 'c.example'];
    assert.deepEqual(told, [`alarm ${b}`, `alarm ${c}`, `alarm.cleared ${b}`, `alarm.cleared ${c}`]);
    telemetry.raise('peer-tls', b, 'again');
    assert.equal(lines.length, 5);
  });

  it('a level silences lines, never metrics', async () => {
    const { telemetry, lines } = capture({ pretty: false });
    telemetry.event('relay.connected', { destination: 'b.example', host: 'mx', tls: 'TLSv1.3', ms: 3 });
    assert.equal(lines.length, 0);
    assert.match(await telemetry.metrics(), /^ceralacca_relay_connect_seconds_count 1$/m);
  });

  it('plain text for eyes', () => {
    const { telemetry, lines } = capture({ pretty: true, level: 'debug' });
    telemetry.event('antivirus.failed', { error: 'connection "refused"' });
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} ERROR the antivirus does not answer error="connection \\"refused\\""\n$/,
    );
  });

  it('two telemetries of one process do not share figures', async () => {
    const one = silentTelemetry();
    const two = silentTelemetry();
    one.event('alarm', { name: 'x', reason: 'y' });
    assert.match(await one.metrics(), /alarms_total\{name="x"\} 1/);
    assert.doesNotMatch(await two.metrics(), /alarms_total\{name="x"\}/);
  });

  it('the silent one remembers for tests', () => {
    const telemetry = silentTelemetry();
    telemetry.event('alarm', { name: 'clock', reason: 'off' });
    assert.deepEqual(telemetry.recorded, [{ name: 'alarm', fields: { name: 'clock', reason: 'off' } }]);
  });
});
