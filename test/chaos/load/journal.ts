import { appendFileSync, readFileSync } from 'node:fs';

/** What a client did and was told. One line of JSON a call, answered or not; the auditor believes nothing else about clients. */
export interface JournalEntry {
  /** Milliseconds of the harness's clock when the call was sent. */
  at: number;
  /** How long until the answer, or until the client gave up on it. */
  ms: number;
  op: 'post' | 'batch' | 'cancel' | 'retry' | 'get';
  api: string;
  /** 0: no answer was seen. */
  status: number;
  /** Of a POST. */
  key?: string;
  /** How many jobs the POST holds. */
  jobs?: number;
  /** The ids a POST was answered with. */
  ids?: string[];
  /** The job that was asked about. */
  id?: string;
  /** Its state in the answer. */
  state?: string;
  /** The body of an answer nobody should get. */
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
    // Nothing was ever written.
  }
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
};
