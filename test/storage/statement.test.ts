import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statement } from '../../src/storage/statement.js';

const find = statement<{ name: string; limit: number }, { name: string }>((db, p) =>
  db
    .selectFrom('domain')
    .select('name')
    .where('name', '=', p('name'))
    .where('created_at', '>', 7)
    .where('name', '<>', p('name'))
    .limit(p('limit')),
);

test('each dialect has its own text, and the same values in order', () => {
  const sqlite = find.compiled('sqlite');
  const postgres = find.compiled('postgres');
  assert.equal(
    sqlite.sql,
    'select "name" from "domain" where "name" = ? and "created_at" > ? and "name" <> ? limit ?',
  );
  assert.equal(
    postgres.sql,
    'select "name" from "domain" where "name" = $1 and "created_at" > $2 and "name" <> $3 limit $4',
  );
  for (const compiled of [sqlite, postgres]) {
    assert.deepEqual(compiled.bind({ limit: 3, name: 'x' }), ['x', 7, 'x', 3]);
  }
});

test('a statement is compiled once', () => {
  let built = 0;
  const counted = statement<object>((db) => {
    built += 1;
    return db.selectFrom('domain').selectAll();
  });
  assert.equal(counted.compiled('sqlite'), counted.compiled('sqlite'));
  assert.equal(built, 1);
});

test('a list is one value', () => {
  const some = statement<{ names: string[] }, { name: string }>((db, p) =>
    db.selectFrom('domain').select('name').where('name', 'in', p.each('names')),
  );
  assert.match(some.compiled('sqlite').sql, /in \(select value from json_each\(\?\)\)/);
  assert.deepEqual(some.compiled('sqlite').bind({ names: ['a', 'b'] }), ['["a","b"]']);
  assert.match(some.compiled('postgres').sql, /jsonb_array_elements_text\(\$1::jsonb\)/);
});

test('a missing value is an error with its name', () => {
  assert.throws(() => find.compiled('sqlite').bind({ name: 'x' }), /"limit" is missing/);
});
