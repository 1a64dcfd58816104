import assert from 'node:assert/strict';
import { ConfigError, checkConfig, readKey, setKey } from '../../../src/config/index.js';
import { tolerated } from '../expect.js';
import type { Target } from '../target.js';

const FILE = '/srv/alfa/config/gestore.yaml';

/** An input is a file, and after each of these a variable of the environment, or a key to set (`.key value`). */
const MARK = '\x1e';

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozen));

export const target: Target = {
  corpus: ['config'],
  covers: ['src/config/'],
  words: [
    MARK,
    `${MARK}CERALACCA__`,
    `${MARK}.limits.message_size `,
    'provider:',
    'hostname: a.example\n',
    'testing: true\n',
    'listen: ',
    '{ ',
    ' }',
    '[',
    ']',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '!!set ',
    '? ',
    '__proto__: ',
    'constructor: ',
    '|\n',
    '- ',
    '30MB',
    '24h',
    '1e999',
    '.nan',
    '~',
    '---\n',
    '%YAML 1.1\n',
  ],
  longest: 4096,
  run(input) {
    const [text = '', ...more] = input.toString('utf8').split(MARK);
    const pairs = more.filter((each) => !each.startsWith('.')).map((each) => each.split('='));
    const env = Object.fromEntries(pairs.map(([name = '', ...value]) => [name, value.join('=')]));
    const config = tolerated(() => checkConfig(text, FILE, env), ConfigError);
    if (config !== undefined) {
      assert.ok(isFrozen(config));
      assert.ok(Number.isSafeInteger(config.limits.hard_size) && config.limits.message_size > 0);
    }
    assert.equal(Reflect.get({}, 'polluted'), undefined);
    for (const change of more.filter((each) => each.startsWith('.'))) {
      const [key = '', ...value] = change.slice(1).split(' ');
      tolerated(() => readKey(text, FILE, key, env), ConfigError);
      tolerated(() => setKey(text, FILE, key, value.join(' ')), ConfigError);
    }
  },
};
