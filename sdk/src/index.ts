export {
  type CrawlOptions,
  LeadEngine,
  type LeadOptions,
  type RunOptions,
  type ScrapeOptions,
} from './client.ts';
export type { ErrorCode, KnownErrorCode } from './error-codes.ts';
export {
  ApiError,
  ConnectionError,
  type FieldError,
  JobError,
  LeadEngineError,
  PageError,
} from './errors.ts';
export type { EventOptions } from './events.ts';
export { isFinal, JobRun } from './job-run.ts';
export type { ClientOptions } from './options.ts';
export type { RetryPolicy } from './retry.ts';
export type { CallOptions, CreateOptions, Request } from './transport.ts';
export type * from './types.ts';
export { type HeadersLike, verifyWebhook, type WebhookMessage } from './verify-webhook.ts';
