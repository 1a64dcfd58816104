import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { Rope, type Source } from '../../src/rope/index.js';
import {
  type ConnectOptions,
  connectSmtp,
  defaultTimeouts,
  describeReply,
  type OutgoingMessage,
  SmtpClientError,
  type Verdict,
} from '../../src/smtp/index.js';
import { selfSigned } from './certificate.js';
import { FakePeer, type Manners } from './fake-peer.js';
import { startListener } from './listener.js';

const certificate = selfSigned('peer.example');
const quick = { ...defaultTimeouts, connect: 2_000, command: 300, dataTermination: 300 };

async function withPeer<T>(
  manners: Manners,
  run: (options: ConnectOptions, peer: FakePeer) => Promise<T>,
): Promise<T> {
  const peer = new FakePeer(manners);
  const port = await peer.listen();
  const tls = { mode: 'none', verify: false, ca: [], name: 'peer.example' } as const;
  try {
    return await run({ host: '127.0.0.1', port, localName: 'mail.alfa.example', tls, timeouts: quick }, peer);
  } finally {
    await peer.close();
  }
}

const message = (
  recipients: readonly string[],
  content = 'A: b\r\n\r\nciao\r\n',
  eightBit = false,
): OutgoingMessage => ({
  mailFrom: 'anna@alfa.example',
  recipients,
  content: Rope.of(content),
  eightBit,
});

const said = (verdicts: readonly Verdict[]): string[] =>
  verdicts.map((verdict) =>
    'reply' in verdict ? `${verdict.phase} ${describeReply(verdict.reply)}` : `${verdict.phase} lost`,
  );

async function deliver(
  manners: Manners,
  outgoing: OutgoingMessage,
): Promise<{ verdicts: string[]; peer: FakePeer; alive: boolean }> {
  return withPeer(manners, async (options, peer) => {
    const client = await connectSmtp(options);
    const verdicts = await client.deliver(outgoing);
    const { alive } = client;
    client.destroy();
    return { verdicts: said(verdicts), peer, alive };
  });
}

describe('one transaction', () => {
  it('leaves in one segment where the peer takes PIPELINING', async () => {
    const { verdicts, peer, alive } = await deliver({}, message(['a@b.it', 'c@b.it'], 'A: b\r\n\r\n', true));
    assert.deepEqual(verdicts, ['final 250 2.0.0 taken', 'final 250 2.0.0 taken']);
    assert.equal(
      peer.chunks[1],
      'MAIL FROM:<anna@alfa.example> SIZE=8 BODY=8BITMIME\r\nRCPT TO:<a@b.it>\r\nRCPT TO:<c@b.it>\r\nDATA\r\n',
    );
    assert.equal(alive, true);
  });

  it('goes line by line, and without parameters, where the peer offers nothing', async () => {
    const { verdicts, peer } = await deliver(
      { extensions: [] },
      message(['a@b.it'], 'A: b\r\n\r\n\xe0\r\n', true),
    );
    assert.deepEqual(verdicts, ['final 250 2.0.0 taken']);
    assert.deepEqual(peer.commands, [
      'EHLO mail.alfa.example',
      'MAIL FROM:<anna@alfa.example>',
      'RCPT TO:<a@b.it>',
      'DATA',
    ]);
  });

  for (const extensions of [['PIPELINING'], []]) {
    const how = extensions.length > 0 ? 'pipelined' : 'line by line';
    it(`gives each recipient its own reply, ${how}`, async () => {
      const rcpt = (line: string) => {
        if (line.includes('nessuno')) return '550 5.1.1 no such mailbox';
        return line.includes('piena') ? '452 4.2.2 full' : '250 ok';
      };
      const { verdicts, peer } = await deliver(
        { extensions, rcpt, final: () => '554 5.7.1 refused' },
        message(['nessuno@b.it', 'a@b.it', 'piena@b.it']),
      );
      assert.deepEqual(verdicts, [
        'rcpt 550 5.1.1 no such mailbox',
        'final 554 5.7.1 refused',
        'rcpt 452 4.2.2 full',
      ]);
      assert.deepEqual(peer.messages[0]?.recipients, ['a@b.it']);
    });

    it(`sends nothing to nobody, ${how}, and the connection serves on`, async () => {
      await withPeer(
        { extensions, rcpt: (_, count) => (count === 1 ? '550 no' : '250 ok') },
        async (options, peer) => {
          const client = await connectSmtp(options);
          assert.deepEqual(said(await client.deliver(message(['a@b.it']))), ['rcpt 550 no']);
          assert.deepEqual(peer.messages, []);
          assert.equal(client.alive, true);
          assert.deepEqual(said(await client.deliver(message(['c@b.it']))), ['final 250 2.0.0 taken']);
          assert.ok(peer.commands.includes('RSET'));
          client.quit();
        },
      );
    });

    it(`takes MAIL's refusal for all, ${how}`, async () => {
      const { verdicts, peer } = await deliver(
        { extensions, mail: () => '451 4.3.0 later' },
        message(['a@b.it', 'c@b.it']),
      );
      assert.deepEqual(verdicts, ['mail 451 4.3.0 later', 'mail 451 4.3.0 later']);
      assert.deepEqual(
        peer.messages.filter(({ bytes }) => bytes.length > 0),
        [],
      );
    });
  }

  it('ends with an empty message a DATA that was opened for nobody', async () => {
    const { verdicts, peer } = await deliver(
      { rcpt: () => '550 5.1.1 no', data: '354 go' },
      message(['a@b.it']),
    );
    assert.deepEqual(verdicts, ['rcpt 550 5.1.1 no']);
    assert.equal(peer.messages[0]?.bytes.length, 0);
  });

  it('does not know what became of a message when the connection goes after the dot', async () => {
    const { verdicts, alive } = await deliver(
      { rcpt: (line) => (line.includes('x@') ? '550 5.1.1 no' : '250 ok'), final: () => 'drop' },
      message(['x@b.it', 'a@b.it']),
    );
    assert.deepEqual(verdicts, ['rcpt 550 5.1.1 no', 'final lost']);
    assert.equal(alive, false);
  });

  it('waits so long for the last reply and no longer', async () => {
    const { verdicts } = await deliver({ final: () => '250-thinking' }, message(['a@b.it']));
    assert.deepEqual(verdicts, ['final lost']);
  });

  it('takes 421 for the end', async () => {
    const { verdicts, alive } = await deliver(
      { rcpt: () => '421 4.3.2 closing' },
      message(['a@b.it', 'b@b.it']),
    );
    assert.deepEqual(verdicts, ['rcpt lost', 'rcpt lost']);
    assert.equal(alive, false);
  });

  it('believes a refusal that comes in the middle of the content', async () => {
    const content = `${'x'.repeat(76)}\r\n`.repeat(200_000);
    const { verdicts, alive } = await deliver(
      { cutAfter: 100_000, early: '552 5.3.4 too much' },
      message(['a@b.it'], content),
    );
    assert.deepEqual(
      verdicts,
      ['content 552 5.3.4 too much'].map((text) => text.replace('content', 'final')),
    );
    assert.equal(alive, false);
  });

  it('loses the message with a connection cut in the middle of the content', async () => {
    const content = `${'x'.repeat(76)}\r\n`.repeat(200_000);
    const { verdicts } = await deliver({ cutAfter: 100_000 }, message(['a@b.it'], content));
    assert.deepEqual(verdicts, ['content lost']);
  });

  it('never ends a message whose own bytes cannot be read', async () => {
    const broken: Source = {
      length: 600_000,
      read: async (offset, length) => {
        if (offset > 0) throw new Error('disk');
        return Buffer.alloc(length, 'x');
      },
    };
    const { verdicts, peer, alive } = await deliver(
      {},
      { ...message(['a@b.it']), content: Rope.of('A: b\r\n', broken) },
    );
    assert.deepEqual(verdicts, ['content lost']);
    assert.deepEqual(peer.messages, []);
    assert.equal(alive, false);
  });

  it('knows beforehand what the peer cannot take', async () => {
    assert.deepEqual((await deliver({ extensions: ['SIZE 10'] }, message(['a@b.it']))).verdicts, [
      "mail 552 5.3.4 Message exceeds the peer's maximum size of 10",
    ]);
    assert.match((await deliver({}, message(['à@b.it']))).verdicts[0] ?? '', /^mail 553 5\.6\.7/);
    assert.match(
      (await deliver({}, message(['a@b.it>\r\nRCPT TO:<c@d.it']))).verdicts[0] ?? '',
      /^mail 553 5\.1\.3/,
    );
  });

  it('refuses a peer that does not speak SMTP', async () => {
    await withPeer({ greeting: 'SSH-2.0-OpenSSH' }, (options) =>
      assert.rejects(
        connectSmtp(options),
        (error) => error instanceof SmtpClientError && error.phase === 'greeting',
      ),
    );
    await withPeer({ greeting: `220-${'x'.repeat(10_000)}` }, (options) =>
      assert.rejects(connectSmtp(options), /too long/),
    );
    await withPeer({ greeting: 'silent' }, (options) => assert.rejects(connectSmtp(options), /no answer/));
    await withPeer({ greeting: '554 5.7.1 go away' }, (options) =>
      assert.rejects(
        connectSmtp(options),
        (error) => error instanceof SmtpClientError && error.reply?.code === 554,
      ),
    );
  });

  it('says HELO to who does not know EHLO', async () => {
    const { verdicts } = await deliver({ ehlo: '502 what?' }, message(['a@b.it']));
    assert.deepEqual(verdicts, ['final 250 2.0.0 taken']);
  });
});

describe('TLS', () => {
  const required = { mode: 'required', verify: true, ca: [certificate.cert], name: 'peer.example' } as const;

  it('is verified against the name of the route', async () => {
    await withPeer({ tls: certificate }, async (options) => {
      for (const name of ['peer.example', '127.0.0.1']) {
        const client = await connectSmtp({ ...options, tls: { ...required, name } });
        assert.equal(client.tls?.version, 'TLSv1.3');
        assert.deepEqual(said(await client.deliver(message(['a@b.it']))), ['final 250 2.0.0 taken']);
        client.quit();
      }
      await assert.rejects(
        connectSmtp({ ...options, tls: { ...required, name: 'other.example' } }),
        /starttls: .*altnames/i,
      );
      await assert.rejects(
        connectSmtp({ ...options, tls: { ...required, ca: [] } }),
        /starttls: self-signed/,
      );
      const client = await connectSmtp({ ...options, tls: { ...required, ca: [], verify: false } });
      client.quit();
    });
  });

  it('is not gone without where it is required', async () => {
    await withPeer({}, (options) =>
      assert.rejects(connectSmtp({ ...options, tls: required }), /offers no STARTTLS/),
    );
  });

  it('lets nothing in that came in clear', async () => {
    await withPeer({ tls: certificate, injected: '250 injected\r\n' }, (options) =>
      assert.rejects(connectSmtp({ ...options, tls: required }), /starttls: data in clear/),
    );
  });
});

describe('the bytes', async () => {
  const listener = await startListener({ mode: 'offered', size: 40_000_000 });
  after(() => listener.stop());
  const tls = { mode: 'opportunistic', verify: false, ca: [], name: '127.0.0.1' } as const;
  const options = { host: '127.0.0.1', port: listener.port, localName: 'mail.beta.example', tls };

  it('arrive as they left, whatever lines they make and however they are cut', async () => {
    const client = await connectSmtp(options);
    const line = fc
      .array(fc.constantFrom('.', '..', 'a', '\xe8', ' '), { maxLength: 4 })
      .map((words) => words.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.nat(40), { maxLength: 5 }),
        async (lines, cuts) => {
          const bytes = Buffer.from(lines.map((text) => `${text}\r\n`).join(''), 'latin1');
          const places = [
            0,
            ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other),
            bytes.length,
          ];
          const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
          const verdicts = await client.deliver({
            ...message(['a@alfa.example']),
            content: Rope.of(...pieces),
          });
          assert.match(said(verdicts)[0] ?? '', /^final 250/);
          assert.deepEqual(listener.taken.at(-1)?.bytes, bytes);
        },
      ),
      { numRuns: 200 },
    );
    client.quit();
  });

  it('pass by the tens of megabytes', async () => {
    const client = await connectSmtp(options);
    const content = Rope.of(...Array.from({ length: 30 }, () => `.${'y'.repeat(997)}\r\n`.repeat(1049)));
    assert.match(
      said(await client.deliver({ ...message(['a@alfa.example']), content }))[0] ?? '',
      /^final 250/,
    );
    assert.equal(listener.taken.at(-1)?.length, content.length);
    client.quit();
  });
});
