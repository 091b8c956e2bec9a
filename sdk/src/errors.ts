import type { ErrorCode } from './error-codes.ts';
import type { Job, Page } from './types.ts';

/**
 * Every error of this package. `code` is stable: that of the API, of a job or of a page
 * (docs/reference/error-codes.md), or one of `ClientErrorCode`.
 */
export class LeadEngineError extends Error {
  override name = 'LeadEngineError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A field of a request that the API refused: `path` such as `urls.0`. */
export interface FieldError {
  path: string;
  message: string;
}

/** The API answered with an error (RFC 9457). */
export class ApiError extends LeadEngineError {
  override name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** What does not fit, of a 422. */
  readonly errors: FieldError[];
  /** Finds the request in the server's log. */
  readonly requestId: string | null;
  /** The job that failed, of a request that waited for one. */
  readonly jobId: string | null;
  /** Milliseconds, if the answer named a time. */
  readonly retryAfterMs: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    about: {
      status: number;
      errors?: FieldError[];
      requestId?: string | null;
      jobId?: string | null;
      retryAfterMs?: number | null;
    },
  ) {
    super(code, message);
    this.status = about.status;
    this.errors = about.errors ?? [];
    this.requestId = about.requestId ?? null;
    this.jobId = about.jobId ?? null;
    this.retryAfterMs = about.retryAfterMs ?? null;
  }
}

/** No answer: the server cannot be reached (`unreachable`), or it took too long (`timeout`). */
export class ConnectionError extends LeadEngineError {
  override name = 'ConnectionError';
}

/** A job failed or was cancelled; `code` is that of its error, or `cancelled`. */
export class JobError extends LeadEngineError {
  override name = 'JobError';

  constructor(readonly job: Job) {
    const { code, message } = job.error ?? { code: 'cancelled', message: 'it was cancelled' };
    super(job.status === 'cancelled' ? 'cancelled' : code, `job ${job.job_id} ${job.status}: ${message}`);
  }
}

/** A page could not be loaded, or came with an HTTP error status; `page` is what there is. */
export class PageError extends LeadEngineError {
  override name = 'PageError';

  constructor(readonly page: Page) {
    const { code, message } = page.error ?? { code: 'internal_error', message: 'no page' };
    super(code, `${page.url}: ${message}`);
  }
}
