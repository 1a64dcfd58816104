/**
 * Statements are written once over Kysely's builder, compiled once for each dialect and then prepared once for each
 * connection: building the tree at every call costs more than running it.
 *
 *   const findMailbox = statement<{ key: string }, MailboxTableRow>((db, p) =>
 *     db.selectFrom('mailbox').selectAll().where('key', '=', p('key')));
 *   const row = await tx.first(findMailbox, { key: 'rossi@pec.alfa.example' });
 */
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  type Dialect as KyselyDialect,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import type { Database } from './schema.js';

export type Dialect = 'sqlite' | 'postgres';

/** Names a value that is given when the statement runs. */
export interface Parameter<P> {
  /** Stands where the value will stand, and has its type. */
  <K extends keyof P & string>(name: K): P[K];
  /** A list of any length: `where('id', 'in', p.each('ids'))`. */
  each<K extends keyof P & string>(name: K): RawBuilder<ElementOf<P[K]>>;
  /** The same for numbers. */
  numbers<K extends keyof P & string>(name: K): RawBuilder<number>;
}

type ElementOf<L> = L extends readonly (infer E)[] ? E : never;

/** What `build` may return: a Kysely builder, or raw SQL compiled with `.compile(db)`. */
type Built<R> = { compile(): CompiledQuery; execute(): Promise<R[]> } | CompiledQuery<R>;

export interface CompiledStatement {
  readonly sql: string;
  /** The values to bind, in order. @throws TypeError when a parameter is missing. */
  bind(parameters: Readonly<Record<string, unknown>>): unknown[];
}

/** A statement taking the named parameters `P` and giving rows `R`. */
export interface Statement<P, R> {
  /** Compiled at the first use for a dialect, and kept. */
  compiled(dialect: Dialect): CompiledStatement;
  /** Only a type: what the parameters and the rows are. */
  readonly shape?: { readonly parameters: P; readonly row: R };
}

export function statement<P, R = unknown>(
  build: (db: Kysely<Database>, p: Parameter<P>, dialect: Dialect) => Built<R>,
): Statement<P, R> {
  const byDialect = new Map<Dialect, CompiledStatement>();
  return {
    compiled(dialect) {
      let compiled = byDialect.get(dialect);
      if (compiled === undefined) {
        const built = build(builders[dialect](), parameterFor<P>(dialect), dialect);
        compiled = ordered('sql' in built ? built : built.compile());
        byDialect.set(dialect, compiled);
      }
      return compiled;
    },
  };
}

/** Stands among Kysely's values until the statement is compiled; then only its place and name are kept. */
class Placeholder {
  readonly name: string;
  readonly json: boolean;

  constructor(name: string, json: boolean) {
    this.name = name;
    this.json = json;
  }
}

function parameterFor<P>(dialect: Dialect): Parameter<P> {
  // The builder takes a placeholder for a value of the parameter's own type: that is what lets it check columns.
  const value = <K extends keyof P & string>(name: K): P[K] =>
    new Placeholder(name, false) as unknown as P[K];
  const each = <K extends keyof P & string>(name: K): RawBuilder<ElementOf<P[K]>> => {
    const list = new Placeholder(name, true);
    return dialect === 'sqlite'
      ? sql<ElementOf<P[K]>>`(select value from json_each(${list}))`
      : sql<ElementOf<P[K]>>`(select jsonb_array_elements_text(${list}::jsonb))`;
  };
  const numbers = <K extends keyof P & string>(name: K): RawBuilder<number> => {
    const list = new Placeholder(name, true);
    return dialect === 'sqlite'
      ? sql<number>`(select value from json_each(${list}))`
      : sql<number>`(select value::bigint from jsonb_array_elements_text(${list}::jsonb))`;
  };
  return Object.assign(value, { each, numbers });
}

function ordered(query: CompiledQuery): CompiledStatement {
  const places = query.parameters;
  return {
    sql: query.sql,
    bind: (parameters) =>
      places.map((place) => (place instanceof Placeholder ? given(place, parameters) : place)),
  };
}

function given(place: Placeholder, parameters: Readonly<Record<string, unknown>>): unknown {
  const value = parameters[place.name];
  if (value === undefined) throw new TypeError(`statement parameter "${place.name}" is missing`);
  return place.json ? JSON.stringify(value) : value;
}

const builders: Readonly<Record<Dialect, () => Kysely<Database>>> = {
  sqlite: once({
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }),
  postgres: once({
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }),
};

/** A Kysely that only compiles. */
function once(dialect: KyselyDialect): () => Kysely<Database> {
  let db: Kysely<Database> | undefined;
  return () => {
    db ??= new Kysely<Database>({ dialect });
    return db;
  };
}
