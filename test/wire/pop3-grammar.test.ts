import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodeReply,
  type Grammar,
  mailboxName,
  messageAndLines,
  messageNumber,
  noArgument,
  optionalMessageNumber,
  parseRequest,
  password,
  readPlain,
  saslStart,
} from '../../src/wire/pop3/index.js';
import { decodeBase64 } from '../../src/wire/sasl/index.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const value = <T>(grammar: Grammar<T>, text: string | undefined): T | string => {
  const parsed = grammar(text === undefined ? undefined : bytes(text));
  return parsed.ok ? parsed.value : parsed.fault;
};

describe('a command line', () => {
  it('has a keyword in any case and the rest as it came', () => {
    assert.deepEqual(parseRequest(bytes('stat')), { keyword: 'STAT', argument: undefined });
    assert.deepEqual(parseRequest(bytes('Pass  a b ')), { keyword: 'PASS', argument: bytes(' a b ') });
    assert.deepEqual(parseRequest(bytes('STAT ')), { keyword: 'STAT', argument: bytes('') });
  });

  it('is none of ours with control characters, without a keyword, with a strange one', () => {
    for (const line of ['', ' STAT', 'ST\0AT', 'PASS a\rb', 'PASS a\0b', '\xe8', 'GET/', 'A'.repeat(13)]) {
      assert.equal(parseRequest(bytes(line)), undefined, JSON.stringify(line));
    }
  });

  it('never surprises, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const request = parseRequest(Buffer.from(octets));
        if (request === undefined) return;
        assert.match(request.keyword, /^[A-Z0-9-]+$/);
        const grammars: Grammar<unknown>[] = [
          noArgument,
          messageNumber,
          optionalMessageNumber,
          messageAndLines,
          mailboxName,
          password,
          saslStart,
        ];
        for (const grammar of grammars) grammar(request.argument);
      }),
    );
  });
});

describe('arguments', () => {
  it('none', () => {
    assert.equal(value(noArgument, undefined), undefined);
    assert.equal(value(noArgument, ' '), undefined);
    assert.equal(value(noArgument, '1'), 'argument-unexpected');
  });

  it('a message number', () => {
    assert.equal(value(messageNumber, '12'), 12);
    assert.equal(value(messageNumber, ' 7 '), 7);
    assert.equal(value(messageNumber, undefined), 'argument-missing');
    assert.equal(value(messageNumber, '1 2'), 'argument-unexpected');
    for (const text of ['-1', '1.5', '0x1', '+1', 'uno', '12345678901', '1e3', '\xb2']) {
      assert.equal(value(messageNumber, text), 'number-malformed', text);
    }
    assert.equal(value(optionalMessageNumber, undefined), undefined);
    assert.equal(value(optionalMessageNumber, '3'), 3);
  });

  it('a message number and lines', () => {
    assert.deepEqual(value(messageAndLines, '1 0'), { message: 1, lines: 0 });
    assert.equal(value(messageAndLines, '1'), 'argument-missing');
    assert.equal(value(messageAndLines, '1 -1'), 'number-malformed');
    assert.equal(value(messageAndLines, '1 2 3'), 'argument-unexpected');
  });

  it('names and passwords, in UTF-8 or in Latin-1', () => {
    assert.equal(value(mailboxName, 'anna@alfa.example '), 'anna@alfa.example');
    assert.equal(value(mailboxName, ''), 'argument-missing');
    assert.equal(value(mailboxName, 'a b'), 'argument-unexpected');
    assert.equal(value(password, ' con spazi '), ' con spazi ');
    assert.equal(value(password, ''), 'argument-missing');
    assert.equal(value(password, Buffer.from('perché').toString('latin1')), 'perché');
    assert.equal(value(password, 'perch\xe9'), 'perché');
  });

  it('a SASL mechanism and its initial response', () => {
    assert.deepEqual(value(saslStart, undefined), { mechanism: undefined, initialResponse: undefined });
    assert.deepEqual(value(saslStart, 'plain'), { mechanism: 'PLAIN', initialResponse: undefined });
    assert.deepEqual(value(saslStart, 'PLAIN ='), { mechanism: 'PLAIN', initialResponse: '=' });
    assert.equal(value(saslStart, 'PLAIN a b'), 'argument-unexpected');
    assert.equal(value(saslStart, 'PL/AIN'), 'argument-malformed');
  });
});

describe('SASL', () => {
  it('takes nothing but whole base64 (RFC 5034 4)', () => {
    assert.equal(decodeBase64('AGEAYg==')?.toString('latin1'), '\0a\0b');
    assert.equal(decodeBase64('')?.length, 0);
    for (const text of ['=AAA', 'AAA=BBB', 'AAA', 'AA A', 'AAAA\t', 'A===', '*', 'AA==AA==']) {
      assert.equal(decodeBase64(text), undefined, text);
    }
  });

  it('reads PLAIN', () => {
    assert.deepEqual(readPlain(Buffer.from('z\0anna\0s e g')), {
      authorization: 'z',
      user: 'anna',
      password: 's e g',
    });
    for (const text of ['', '\0', '\0\0', '\0a\0', '\0\0b', 'a\0b', '\0a\0b\0']) {
      assert.equal(readPlain(Buffer.from(text)), undefined, JSON.stringify(text));
    }
  });
});

describe('a reply', () => {
  it('is one line of ASCII of at most 512 octets, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
        const line = encodeReply({ status: '-ERR', code: 'SYS/TEMP', text });
        assert.match(line, /^-ERR \[SYS\/TEMP\][\x20-\x7e]*\r\n$/);
        assert.ok(line.length <= 512);
        assert.doesNotMatch(encodeReply({ status: '+OK', text }), /^\+OK \[/);
      }),
    );
  });

  it('drops accents, keeps the space of an empty challenge', () => {
    assert.equal(encodeReply({ status: '+OK', text: 'Perché no' }), '+OK Perche no\r\n');
    assert.equal(encodeReply({ status: '+OK', text: '' }), '+OK\r\n');
    assert.equal(encodeReply({ status: '+', challenge: Buffer.alloc(0) }), '+ \r\n');
  });
});
