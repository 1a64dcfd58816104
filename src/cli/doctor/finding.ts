/** One thing looked at. A warning does not keep a gestore from starting; a failure does, or will. */
export interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly note: string;
}

export const ok = (check: string, note: string): Finding => ({ check, result: 'ok', note });
export const warning = (check: string, note: string): Finding => ({ check, result: 'warning', note });
export const failed = (check: string, note: string): Finding => ({ check, result: 'failed', note });

/** What a check finds; one that throws has failed. */
export async function finding(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [failed(check, error instanceof Error ? error.message : String(error))];
  }
}
