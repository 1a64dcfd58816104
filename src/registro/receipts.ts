import { addressKey } from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import type { ReceiptRow, Store } from '../storage/index.js';

/**
 * The stored bytes of a receipt, identical to those issued or received (architecture 7): the accettazione or
 * non-accettazione of a message, or with a recipient its final outcome.
 * @returns undefined when no such receipt is kept
 */
export async function findReceipt(
  store: Pick<Store, 'read' | 'openProved'>,
  identificativo: string,
  recipient?: string,
): Promise<{ readonly receipt: ReceiptRow; readonly bytes: Rope } | undefined> {
  const kept = await store.read('findReceipts', { identificativo });
  const receipt = recipient === undefined ? acceptance(kept) : outcome(kept, recipient);
  return receipt === undefined ? undefined : { receipt, bytes: await store.openProved(receipt.contentId) };
}

const acceptance = (kept: readonly ReceiptRow[]): ReceiptRow | undefined =>
  kept.find(({ kind }) => kind === 'accettazione' || kind === 'non-accettazione');

/** The delivery or non-delivery; before either has come, the last notice of silence. */
function outcome(kept: readonly ReceiptRow[], recipient: string): ReceiptRow | undefined {
  const about = kept.filter((receipt) => addressKey(receipt.recipient) === addressKey(recipient));
  return (
    about.find(({ kind }) => kind === 'avvenuta-consegna') ??
    about.find(({ kind }) => kind === 'errore-consegna') ??
    about.filter(({ kind }) => kind === 'preavviso-errore-consegna').at(-1)
  );
}
