/** A server under measurement. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Resolves when what it does in the background for its answers is done. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export const USER = 'anna@alfa.example';
export const PASSWORD = 'parola-di-anna';

/** Users with empty mailboxes, each of whom logs in once: their password is verified, not remembered. */
export const newcomer = (number: number): string => `nuovo${number}@alfa.example`;
export const NEWCOMERS = 200;
