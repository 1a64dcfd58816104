import { after, before as beforeAll } from 'node:test';
import { Network } from './network.js';
import { type TestPki, testPki } from './pki.js';
import { Clock, Point, type PointRequest } from './points.js';

/** Where the harness hangs up what must be ended: a test's context, or the hooks of a suite. */
export interface Scope {
  after(release: () => Promise<void> | void): void;
}

/** Two gestori who know each other. */
export interface Pair {
  readonly alfa: Point;
  readonly beta: Point;
  readonly network: Network;
  readonly clock: Clock;
  readonly pki: TestPki;
}

export interface PairRequest {
  readonly pki?: TestPki;
  readonly alfa?: PointRequest;
  readonly beta?: PointRequest;
}

/** A pair for all the tests of a suite: to be called in its `describe`, the answer in its tests. */
export function sharedPair(request: PairRequest = {}): () => Pair {
  const releases: (() => Promise<void> | void)[] = [];
  let pair: Pair | undefined;
  beforeAll(async () => {
    pair = await twoPoints({ after: (release) => void releases.push(release) }, request);
  });
  after(async () => {
    for (const release of releases.reverse()) await release();
  });
  return () => {
    if (pair === undefined) throw new Error('the pair is not there yet');
    return pair;
  };
}

/** Alfa with anna and aldo, beta with bruno and berta. */
export async function twoPoints(scope: Scope, request: PairRequest = {}): Promise<Pair> {
  const pki = request.pki ?? (await testPki());
  const clock = new Clock();
  const trust = pki.authority.certificatePem;
  const alfa = await Point.open(pki.alfa, trust, clock, request.alfa);
  scope.after(() => alfa.close());
  const beta = await Point.open(pki.beta, trust, clock, request.beta);
  scope.after(() => beta.close());
  for (const local of ['anna', 'aldo']) await alfa.addMailbox(alfa.address(local));
  for (const local of ['bruno', 'berta']) await beta.addMailbox(beta.address(local));
  await alfa.directory.import(Buffer.from(beta.directory.ownLdif()), trust);
  await beta.directory.import(Buffer.from(alfa.directory.ownLdif()), trust);
  return { alfa, beta, clock, pki, network: new Network([alfa, beta], clock) };
}
