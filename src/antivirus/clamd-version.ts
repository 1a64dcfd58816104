/** What clamd answers to VERSION: `ClamAV 1.4.1/27500/Mon Jun  2 10:00:00 2025`; without daily signatures, `ClamAV 1.4.1`. */
export interface ClamdVersion {
  /** For the register, as clamd says it. */
  readonly engine: string;
  /** When its signatures were made, epoch milliseconds, to some hours: clamd tells no time zone. */
  readonly signaturesAt: number | undefined;
}

/** @returns undefined for what is no version of ClamAV */
export function readVersion(answer: string): ClamdVersion | undefined {
  const match = /^ClamAV [^/]+(?:\/\d+(?:\/(.+))?)?$/.exec(answer);
  if (match === null) return undefined;
  const at = Date.parse((match[1] ?? '').replace(/ +/g, ' '));
  return { engine: answer, signaturesAt: Number.isNaN(at) ? undefined : at };
}
