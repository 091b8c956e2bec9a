import { appendFileSync, readFileSync } from 'node:fs';

/**
 * What a client did and was answered. One line of JSON per call, answered or not; the auditor's
 * only source about clients.
 */
export interface JournalEntry {
  /** Milliseconds of the harness's clock when the call was sent. */
  at: number;
  /** Time to the answer, or to the client's timeout. */
  ms: number;
  op: 'post' | 'batch' | 'cancel' | 'retry' | 'get';
  api: string;
  /** 0: no answer was seen. */
  status: number;
  /** Of a POST. */
  key?: string;
  /** How many jobs the POST holds. */
  jobs?: number;
  /** The ids in the answer to a POST. */
  ids?: string[];
  /** The job of the request. */
  id?: string;
  /** Its state in the answer. */
  state?: string;
  /** The body of an unexpected answer. */
  problem?: string;
}

export interface Journal {
  file: string;
  write(entry: JournalEntry): void;
}

export const createJournal = (file: string): Journal => {
  appendFileSync(file, '');
  return { file, write: (entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`) };
};

export const readLines = <T>(file: string): T[] => {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // No entry was ever written.
  }
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
};
