import { join } from 'node:path';
import { Sealer, type SealerParts, verifyRegister, verifySeals } from '../../src/registro/index.js';
import type { TimestampAuthority } from '../../src/smime/index.js';
import { type SilentTelemetry, silentTelemetry } from '../../src/telemetry/index.js';
import { type TestPki, testPki } from '../support/pki.js';
import { type SyntheticRegister, syntheticRegister } from './synthetic.js';

/** A register with what seals it. */
export interface SealedRegister extends SyntheticRegister {
  readonly files: string;
  readonly pki: TestPki;
  readonly telemetry: SilentTelemetry;
  readonly parts: SealerParts;
  readonly sealer: Sealer;
  /** Chain, then seals; the first thing that does not fit. */
  verify(
    now?: number,
  ): Promise<{ reason: string | null; seq: number | undefined; warnings: readonly string[] }>;
}

export async function sealedRegister(
  authorities: readonly TimestampAuthority[] = [],
  clock: () => number = Date.now,
): Promise<SealedRegister> {
  const register = await syntheticRegister();
  const pki = await testPki();
  const telemetry = silentTelemetry();
  const files = join(register.folder, 'registro');
  const parts: SealerParts = {
    store: register.store,
    folder: files,
    signer: pki.alfa.signer,
    trust: () => pki.trust,
    gestore: pki.alfa.name,
    authorities,
    clock,
    telemetry,
  };
  return {
    ...register,
    files,
    pki,
    telemetry,
    parts,
    sealer: new Sealer(parts),
    verify: async (now = Date.now()) => {
      const named = new Map<string, string>();
      const chain = await verifyRegister(register.store, ({ detail }) => {
        if (detail.parte === undefined) named.set(detail.giorno ?? '', detail.radice ?? '');
      });
      if (chain.fault !== null) return { reason: chain.fault.reason, seq: chain.fault.seq, warnings: [] };
      const { fault, warnings } = await verifySeals({
        store: register.store,
        folder: files,
        trust: pki.trust,
        signer: `posta-certificata@${pki.alfa.mailDomain}`,
        stamps:
          authorities.length === 0 ? null : { anchors: authorities.flatMap(({ trust }) => trust.anchors) },
        named,
        now,
      });
      return { reason: fault?.reason ?? null, seq: fault?.entry?.seq, warnings };
    },
  };
}
