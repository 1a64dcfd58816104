/** What a session said, read as a strict client reads it, which keeps its own count of the messages of the folder it has open. */
import assert from 'node:assert/strict';

/** @throws AssertionError for what no client could read, or what contradicts what was said before. @param heard Latin-1 */
export function checkAnswers(heard: string): void {
  let messages: number | undefined;
  for (const line of responses(heard)) {
    assert.match(line, /^(?:\* |\+ |[^\s"(){%*\\+]+ (?:OK|NO|BAD) )/, 'no response');
    if (/^\* (?:[0-9]+ FETCH|LIST|LSUB|STATUS|FLAGS|ESEARCH|THREAD|QUOTA|NAMESPACE|ID) ?/.test(line))
      assertBalanced(line);
    messages = count(line, messages);
  }
}

/** Lines, with `""` for each literal. */
function* responses(heard: string): Generator<string> {
  let line = '';
  for (let at = 0; at < heard.length; ) {
    const end = heard.indexOf('\r\n', at);
    assert.ok(end >= 0, 'a response without its end');
    const text = heard.slice(at, end);
    assert.ok(!/[\r\n\0]/.test(text), 'a line end that is none, or NUL');
    at = end + 2;
    const literal = /(~?)\{([0-9]+)\}$/.exec(text);
    if (literal === null) {
      yield line + text;
      line = '';
      continue;
    }
    const size = Number(literal[2]);
    assert.ok(at + size <= heard.length, 'a literal that is not whole');
    assert.ok(literal[1] === '~' || !heard.slice(at, at + size).includes('\0'), 'NUL in a literal');
    line += `${text.slice(0, literal.index)}""`;
    at += size;
  }
  assert.equal(line, '', 'nothing after a literal');
}

function assertBalanced(line: string): void {
  let depth = 0;
  for (const [part] of line.matchAll(/"(?:[^"\\]|\\["\\])*"|["()]/g)) {
    assert.notEqual(part, '"', 'a string without its end');
    if (part === '(') depth += 1;
    if (part === ')') depth -= 1;
    assert.ok(depth >= 0, 'a parenthesis too many');
  }
  assert.equal(depth, 0, 'a parenthesis is open');
}

/** RFC 9051 7.4.1, 7.5: numbers of messages the client was told of. @returns how many there are; undefined while none is open */
function count(line: string, messages: number | undefined): number | undefined {
  if (line.startsWith('* OK [PERMANENTFLAGS ')) return undefined;
  const [, number, kind] = /^\* ([0-9]+) (EXISTS|EXPUNGE|FETCH)/.exec(line) ?? [];
  if (kind === undefined) return messages === undefined ? undefined : messages - vanished(line);
  const value = Number(number);
  if (kind === 'EXISTS') {
    assert.ok(messages === undefined || value >= messages, 'EXISTS takes messages away');
    return value;
  }
  assert.ok(messages !== undefined && value >= 1 && value <= messages, `${kind} of no message: ${line}`);
  return kind === 'EXPUNGE' ? messages - 1 : messages;
}

function vanished(line: string): number {
  const set = /^\* VANISHED ([0-9:,]+)$/.exec(line)?.[1];
  if (set === undefined) return 0;
  return set.split(',').reduce((sum, range) => {
    const [from = 0, to = from] = range.split(':').map(Number);
    return sum + to - from + 1;
  }, 0);
}
