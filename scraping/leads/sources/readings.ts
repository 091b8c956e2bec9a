import type { SourceType } from '../../../core/leads/lead.ts';
import type { Observation } from '../../extraction/contacts/finding.ts';
import type { Directory } from './directories-file.ts';

/**
 * What is read from the answers of sources: pure functions of untrusted bytes, each of which runs
 * in a thread. Input and result survive structured cloning.
 */
export interface SourceReadings {
  google_page(answer: SourceAnswer): ResultPage;
  google_api(answer: SourceAnswer): ResultPage;
  bing(answer: SourceAnswer): ResultPage;
  duckduckgo(answer: SourceAnswer): ResultPage;
  searxng(answer: SourceAnswer): ResultPage;
  linkedin_company(input: { answer: SourceAnswer; profile: string }): CompanyPage;
  directory_page(input: { answer: SourceAnswer; directory: Directory }): DirectoryPage;
  directory_detail(input: { answer: SourceAnswer; directory: Directory }): Listing;
  overpass(answer: SourceAnswer): Candidate[];
}

export type SourceReadingName = keyof SourceReadings;
export type SourceReadingInput<Name extends SourceReadingName> = Parameters<SourceReadings[Name]>[0];
export type SourceReadingResult<Name extends SourceReadingName> = ReturnType<SourceReadings[Name]>;

/** A message to a thread. */
export interface SourceQuestion {
  name: SourceReadingName;
  input: unknown;
}

export type CompanyPage =
  | { kind: 'auth_wall' }
  | { kind: 'missing' }
  /** Null if the page names no company. */
  | { kind: 'company'; candidate: Candidate | null };

export interface Listing {
  observations: Observation[];
  website: string | null;
}

export interface DirectoryPage {
  listings: (Listing & { detail: string | null })[];
  /** As `next` of the directory says; null without one. */
  next: string | null;
}

export interface SourceAnswer {
  status: number;
  /** After redirects. */
  url: string;
  body: string;
}

/** A business that may be a lead. */
export interface Candidate {
  source: SourceType;
  /** Any page of its website; null if the source knows none. */
  url: string | null;
  name: string | null;
  /** What the source itself knows about it. */
  observations: Observation[];
}

/** A result as a search engine lists it. */
export interface SearchResult {
  url: string;
  title: string;
}

export interface ResultPage {
  results: SearchResult[];
  /** URL of the next page; null at the end. */
  next: string | null;
}
