import type { Header } from '../mime/index.js';
import { RECEIPT_TYPES, type ReceiptType } from './types.js';

/**
 * The kind of delivery notification the sender asks for. The field is written `X-TipoRicevuta` or `X-Tiporicevuta`
 * (pec-format 1.1); absent or unknown means completa (RFC 6109 3.3.2.1).
 */
export function receiptType(header: Header): ReceiptType {
  const asked = header.raw('X-TipoRicevuta')?.trim().toLowerCase();
  return RECEIPT_TYPES.find((type) => type === asked) ?? 'completa';
}
