import type { Rope } from '../rope/index.js';

/** What the scanner said of one message. */
export interface ScanVerdict {
  /** Name of the virus, or null when none was found. */
  readonly virus: string | null;
  /** Engine and signature version, for the register. */
  readonly engine: string;
}

/** Scans a whole message as received. */
export interface Antivirus {
  /** @throws AntivirusUnavailable: the caller answers a temporary error, nothing passes unscanned. */
  scan(message: Rope): Promise<ScanVerdict>;
  /** One line that names the engine, for logs and health. */
  readonly name: string;
  /** Whether the engine answers now. */
  ping(): Promise<boolean>;
  /** When its signatures were made, epoch milliseconds; undefined while that is not known. */
  signaturesAt?(): number | undefined;
  /**
   * Resolves once it is sure that `gone` will be called when the engine ends, or is started anew.
   * @throws AntivirusUnavailable
   */
  attend?(gone: () => void): Promise<void>;
}

/** The scanner could not be asked. */
export class AntivirusUnavailable extends Error {
  override readonly name: string = 'AntivirusUnavailable';
}

/** The scanner does not take messages as large as this one: no verdict, and none to come until it is set up otherwise. */
export class AntivirusLimit extends AntivirusUnavailable {
  override readonly name = 'AntivirusLimit';
}
