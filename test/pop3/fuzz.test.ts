import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { Dialogue } from './dialogue.js';
import { type Listener, startListener } from './fakes.js';

const message = 'A: b\r\n\r\n.ciao\r\n';
const credentials = Buffer.from('\0anna@alfa.example\0segreto').toString('base64');

const keyword = fc.constantFrom(
  ...[
    'CAPA',
    'STAT',
    'list',
    'UIDL',
    'RETR',
    'TOP',
    'DELE',
    'RSET',
    'NOOP',
    'AUTH',
    'STLS',
    'APOP',
    'XYZ',
    '',
  ],
);
const argument = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    ' 1',
    ' 2',
    ' 0',
    ' -1',
    ' 1 1',
    ' 99999999999',
    ' PLAIN',
    ' PLAIN =',
    ' PLAIN AAAA',
  ),
  fc.string({ maxLength: 20 }).map((text) => ` ${text}`),
);
const anything = fc
  .uint8Array({ maxLength: 600 })
  .map((octets) => Buffer.from(octets.filter((octet) => octet !== 0x0a)).toString('latin1'));
const known = fc.constantFrom(
  'USER anna@alfa.example',
  'PASS segreto',
  `AUTH PLAIN ${credentials}`,
  credentials,
  '*',
);
const line = fc.oneof(
  fc.tuple(keyword, argument).map(([name, rest]) => name + rest),
  known,
  known,
  anything,
);

describe('any lines at all', () => {
  let listener: Listener;
  before(async () => {
    listener = await startListener([message, message], {
      mode: 'starttls',
      testing: true,
      limits: { badCommands: 1_000_000 },
    });
  });
  after(() => listener.server.close());

  /** Reads one answer as a client would that knows nothing but the protocol. */
  async function answer(client: Dialogue, command: string): Promise<string> {
    const status = await client.hear();
    assert.match(status, /^(?:\+OK(?: .*)?|-ERR .*|\+ )$/);
    const [name, first] = command.trim().toUpperCase().split(/ +/);
    const several =
      ['CAPA', 'RETR', 'TOP'].includes(name ?? '') ||
      (['LIST', 'UIDL', 'AUTH'].includes(name ?? '') && first === undefined);
    if (several && status.startsWith('+OK')) await client.hearBody();
    return status;
  }

  it('get one answer each, in order, and the server stands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 25 }), fc.boolean(), async (lines, pipelined) => {
        const client = await Dialogue.open(listener.port, { tls: false });
        await client.hear();
        // STLS would end the dialogue in clear, QUIT the dialogue.
        const said = lines.filter((text) => !/^(?:stls|quit) *\r?$/i.test(text));
        if (pipelined) client.say(said.map((text) => `${text}\r\n`).join(''));
        for (const text of said) {
          if (!pipelined) client.say(`${text}\r\n`);
          await answer(client, text);
        }
        client.say('*\r\nQUIT\r\n');
        assert.match(await client.hear(), /^-ERR/);
        assert.match(await client.hear(), /^\+OK Arrivederci/);
        assert.equal(await client.hear(), 'closed');
        client.close();
        listener.mailstore.add(1, ...Array(2 - listener.mailstore.count(1)).fill(message));
      }),
      { numRuns: 150 },
    );
  });

  it('may stop anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), async (octets, abruptly) => {
        const client = await Dialogue.open(listener.port, { tls: false });
        client.say(Buffer.from(octets));
        if (abruptly) client.close();
        else {
          client.finish();
          await client.gone();
          client.close();
        }
      }),
      { numRuns: 80 },
    );
    const client = await Dialogue.open(listener.port, { tls: false });
    assert.match(await client.hear(), /^\+OK/);
    client.close();
  });
});
