import type { Telemetry } from '../../telemetry/index.js';
import type { Signer } from '../sign/signer.js';

/** The key did not sign in time. */
export class SignerUnavailable extends Error {
  override readonly name = 'SignerUnavailable';
}

/** A signer that is watched. */
export interface GuardedSigner extends Signer {
  /** Whether it signs; one that failed is asked to sign something that means nothing. Never rejects. */
  works(): Promise<boolean>;
}

/** Milliseconds: whoever hands in a message waits for two signatures at least. */
const TIMEOUT = 30_000;
/** No signed attributes, so no signature of anything. */
const NOTHING = Buffer.from('ceralacca: does the key sign?');

/** A key that fails, or hangs, certifies nothing (architecture 3): whoever asks hears it in time, and an alarm stands meanwhile. */
export function guardSigner(signer: Signer, telemetry: Telemetry, timeout = TIMEOUT): GuardedSigner {
  let failing = false;
  const sign = async (signedAttributes: Buffer): Promise<Buffer> => {
    try {
      const signature = await inTime(signer.sign(signedAttributes), timeout);
      failing = false;
      telemetry.clear('signer-unavailable', '');
      return signature;
    } catch (error) {
      failing = true;
      telemetry.raise('signer-unavailable', '', error instanceof Error ? error.message : String(error));
      throw error;
    }
  };
  return {
    certificate: signer.certificate,
    chain: signer.chain,
    warnings: signer.warnings,
    sign,
    close: () => signer.close(),
    works: async () =>
      !failing ||
      sign(NOTHING).then(
        () => true,
        () => false,
      ),
  };
}

async function inTime<T>(work: Promise<T>, timeout: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new SignerUnavailable(`the key did not sign within ${timeout} ms`)),
      timeout,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
