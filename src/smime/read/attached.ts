import { CmsError } from './cms-error.js';
import { pemBlocks, startsLikePem } from './pem.js';
import { parseSignedData } from './signed-data.js';
import { type Examination, examine, type Fault, type SignerInfo, type Warning } from './verdict.js';

/** A signed file that does not hold; `faults` says why, the message is Italian. */
export class SignatureError extends Error {
  readonly faults: readonly Fault[];
  /** Only a revocation list is missing, for now. */
  readonly temporary: boolean;

  constructor(faults: readonly Fault[], temporary: boolean) {
    super(faults.map((fault) => fault.text).join('; '));
    this.name = 'SignatureError';
    this.faults = faults;
    this.temporary = temporary;
  }
}

/** The content of a signed file whose signature is valid. */
export interface AttachedContent {
  readonly content: Uint8Array;
  readonly signer: SignerInfo;
  readonly signingTime: number | undefined;
  readonly warnings: readonly Warning[];
}

/**
 * Opens a signed file (`.p7m`) in DER, BER or PEM and verifies it.
 * @throws SignatureError when the signature is not valid
 */
export async function openAttached(
  p7m: Uint8Array,
  question: Omit<Examination, 'cms' | 'chunks' | 'use'>,
): Promise<AttachedContent> {
  const { cms, content } = open(p7m);
  const verdict = await examine({ ...question, cms, chunks: [content], use: { kind: 'file' } });
  if (verdict.faults.length > 0 || verdict.signer === undefined) {
    throw new SignatureError(verdict.faults, verdict.temporary);
  }
  const { signer, signingTime, warnings } = verdict;
  return { content, signer, signingTime, warnings };
}

function open(p7m: Uint8Array): { cms: Uint8Array; content: Uint8Array } {
  try {
    const cms = startsLikePem(p7m) ? pemBlocks(p7m)[0]?.der : p7m;
    const content = cms === undefined ? undefined : parseSignedData(cms).content;
    if (cms !== undefined && content !== undefined) return { cms, content };
  } catch (error) {
    if (!(error instanceof CmsError)) throw error;
    throw new SignatureError(
      [{ code: 'malformed', text: `il file firmato non è leggibile (${error.message})` }],
      false,
    );
  }
  throw new SignatureError([{ code: 'malformed', text: 'il file firmato non contiene i dati' }], false);
}
