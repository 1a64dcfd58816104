import type { Header } from '../mime/index.js';
import type { Certified, LegalTime, ReceiptType } from '../pec/index.js';
import type { Rope } from '../rope/index.js';

/** A transport envelope that the incoming point found correct and undamaged (RFC 6109 2.2.2). */
export interface EnvelopeInHand {
  /** The transaction's one instant (RFC 6109 4.1). */
  readonly time: LegalTime;
  /** providerName of the gestore that sealed it. */
  readonly origin: string;
  readonly certified: Certified;
  readonly receiptType: ReceiptType;
  /** SMTP reverse path, as it came. */
  readonly mailFrom: string;
  /** The envelope's outer header: unsigned, it only makes a recipient's part ambiguous (decisions 5). */
  readonly header: Header;
  /** The envelope, byte for byte. */
  readonly message: Rope;
  readonly postacert: Rope;
  /** Whether the envelope, and so perhaps the original, has octets above 127. */
  readonly eightBit: boolean;
  /** Header of the signed original: To and Cc for the receipt's form come from here (decisions 5). */
  readonly postacertHeader: Header;
}
