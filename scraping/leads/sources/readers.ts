import { PermanentError, RetryableError } from '../../../core/errors.ts';
import { readBingPage } from './bing.ts';
import { readDirectoryDetail, readDirectoryPage } from './directory.ts';
import { readDuckDuckGoPage } from './duckduckgo.ts';
import type { SourceErrorCode } from './errors.ts';
import { readGoogleApi, readGooglePage } from './google.ts';
import { readLinkedInCompany } from './linkedin.ts';
import { readOverpass } from './openstreetmap.ts';
import type { SourceQuestion, SourceReadings } from './readings.ts';
import { readSearxng } from './searxng.ts';

/** An error of a source crosses the threads as its parts. */
export type SourceReadingAnswer =
  | { kind: 'read'; value: unknown }
  | { kind: 'source_error'; code: SourceErrorCode; message: string };

const READERS: SourceReadings = {
  google_page: readGooglePage,
  google_api: readGoogleApi,
  bing: readBingPage,
  duckduckgo: readDuckDuckGoPage,
  searxng: readSearxng,
  linkedin_company: readLinkedInCompany,
  directory_page: readDirectoryPage,
  directory_detail: readDirectoryDetail,
  overpass: readOverpass,
};

/** Runs one reading. */
export function answerSource({ name, input }: SourceQuestion): SourceReadingAnswer {
  try {
    return { kind: 'read', value: (READERS[name] as (input: unknown) => unknown)(input) };
  } catch (error) {
    if (!(error instanceof PermanentError || error instanceof RetryableError)) throw error;
    return { kind: 'source_error', code: error.code as SourceErrorCode, message: error.message };
  }
}
