import type { z } from 'zod';
import type { Needs } from '../http/route.ts';
import { accountOperations } from './accounts.ts';
import { jobOperations } from './jobs.ts';
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import { leadOperations } from './leads.ts';
import { linkOperations } from './links.ts';
import { notificationOperations } from './notifications.ts';
import type { Operation, OperationAnswer } from './operation.ts';
import { operationOperations } from './operations.ts';
import { scheduleOperations } from './schedules.ts';

const TAGS = [
  ['Jobs', 'Pages, crawls and their results', jobOperations],
  ['Leads', 'Businesses that were found', leadOperations],
  ['Schedules', 'Jobs that come again', scheduleOperations],
  ['Notifications', 'Subscriptions, webhooks and the inbox', notificationOperations],
  ['Links', 'Short links, shared results and statistics', linkOperations],
  ['Accounts', 'Users, keys, the audit log and deletions', accountOperations],
  ['Operation', 'Events, the fleet, dead letters and probes', operationOperations],
] as const;

interface Described extends Operation {
  tag: string;
}

const OPERATIONS: ReadonlyMap<string, Described> = new Map(
  TAGS.flatMap(([tag, , operations]) =>
    Object.entries(operations).map(([name, operation]) => [name, { ...operation, tag }] as const),
  ),
);

/** A route as it is declared. */
export interface DescribedRoute {
  method: string;
  path: string;
  needs: Needs;
}

export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, JsonSchema>>;
  components: { schemas: Record<string, JsonSchema>; [others: string]: unknown };
  [others: string]: unknown;
}

/**
 * OpenAPI 3.1 of these routes. What is accepted comes from the schemas that validate it.
 *
 * @param options `strict`: answers have no fields but those described, for tests of the API itself;
 *   its clients are to expect further ones
 */
export function openApiDocument(
  routes: readonly DescribedRoute[],
  { strict = false, version = '1.0.0' } = {},
): OpenApiDocument {
  const named: Record<string, JsonSchema> = { Problem: PROBLEM };
  const answered = (schema: z.ZodType): JsonSchema => {
    const json = jsonSchemaOf(schema, 'output', named);
    return strict ? json : (open(json) as JsonSchema);
  };
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const operation = OPERATIONS.get(nameOf(route));
    // A test finds it; it is no reason to serve no document at all.
    if (!operation) continue;
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    const methods = paths[path] ?? {};
    methods[route.method.toLowerCase()] = describe(route, operation, named, answered);
    paths[path] = methods;
  }
  const schemas = strict ? named : (open(named) as Record<string, JsonSchema>);
  return {
    openapi: '3.1.1',
    info: {
      title: 'LeadEngine',
      version,
      description:
        'A self-hosted scraping job platform. Errors are problems (RFC 9457) with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }, { apiKey: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  };
}

/** The operations that are described, as `GET /api/v1/jobs`. */
export const describedOperations = (): string[] => [...OPERATIONS.keys()];

const nameOf = ({ method, path }: DescribedRoute): string => `${method} ${path}`;

function describe(
  route: DescribedRoute,
  operation: Described,
  named: Record<string, JsonSchema>,
  answered: (schema: z.ZodType) => JsonSchema,
): JsonSchema {
  const { summary, description, query, body, answers, tag } = operation;
  const needsKey = route.needs !== 'nothing';
  const details = [description, needsKey ? `Needs the scope \`${route.needs}\`.` : undefined];
  return {
    tags: [tag],
    operationId: operationIdOf(route),
    summary,
    description: details.filter(Boolean).join(' ') || summary,
    ...(needsKey ? {} : { security: [] }),
    parameters: [
      ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
        ...{ name, in: 'path', required: true, schema: { type: 'string' } },
      })),
      ...(query ? queryParameters(jsonSchemaOf(query, 'input', named)) : []),
      ...(operation.isIdempotent ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(body
      ? {
          requestBody: {
            required: !operation.isBodyOptional,
            content: { 'application/json': { schema: jsonSchemaOf(body, 'input', named) } },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, response(answer, answered)]),
      ),
      ...errorResponses(route, operation),
      default: problem('Any other problem'),
    },
  };
}

/** `getJobsIdPages`; the routes at the root have their own. */
function operationIdOf({ method, path }: DescribedRoute): string {
  const prefix = path.startsWith('/api/v1/') ? '' : '/root';
  const words = `${prefix}${path.replace(/^\/api\/v1/, '')}`.split(/[^a-z0-9]+/i).filter(Boolean);
  return method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}

function queryParameters(schema: JsonSchema): JsonSchema[] {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...its }]) => ({
    ...{ name, in: 'query', required: required.includes(name) && its.default === undefined },
    ...(description === undefined ? {} : { description }),
    schema: its,
  }));
}

function response(
  { says, json, types = [], example }: OperationAnswer,
  answered: (schema: z.ZodType) => JsonSchema,
) {
  const content = {
    ...(json
      ? { 'application/json': { schema: answered(json), ...(example === undefined ? {} : { example }) } }
      : {}),
    ...Object.fromEntries(types.map((type) => [type, { schema: schemaOf(type) }])),
  };
  return {
    description: says,
    headers: { 'X-Request-Id': { schema: { type: 'string' } } },
    ...(Object.keys(content).length > 0 ? { content } : {}),
  };
}

/** The statuses of problems with their codes: those of each call of its kind, and its own. */
function errorResponses(
  route: DescribedRoute,
  { query, body, isIdempotent, answers, errors = {} }: Described,
) {
  const codes: Record<number, readonly string[] | undefined> = {
    400: ['malformed_request', 'malformed_url', ...(body ? ['malformed_json'] : [])],
    ...(route.needs === 'nothing' ? {} : { 401: ['unauthorized'], 403: ['forbidden'] }),
    ...(route.path.includes(':') ? { 404: ['not_found'] } : {}),
    ...(isIdempotent ? { 409: ['idempotency_conflict'] } : {}),
    ...(body ? { 413: ['body_too_large'], 415: ['unsupported_media_type'] } : {}),
    ...(body || query || route.needs !== 'nothing' ? { 422: ['invalid_request'] } : {}),
    ...(route.needs === 'nothing' ? {} : { 429: ['rate_limited'] }),
    500: ['internal_error'],
    503: ['database_unavailable', 'overloaded', 'stopping'],
  };
  for (const [status, own] of Object.entries(errors)) {
    codes[Number(status)] = [...(codes[Number(status)] ?? []), ...own];
  }
  return Object.fromEntries(
    Object.entries(codes)
      .filter(([status]) => !(Number(status) in answers))
      .map(([status, list = []]) => [
        status,
        problem(list.map((code) => (code.includes(' ') ? code : `\`${code}\``)).join(', ')),
      ]),
  );
}

/** Of a type other than plain JSON. */
const schemaOf = (type: string): JsonSchema =>
  type === PROBLEM_TYPE ? { $ref: '#/components/schemas/Problem' } : { type: 'string' };

const PROBLEM_TYPE = 'application/problem+json';

const problem = (description: string) => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
});

const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'A problem (RFC 9457)',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable: program against it' },
    instance: { type: 'string' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
    job_id: { type: 'string', format: 'uuid' },
    missing_scope: { type: 'string' },
    limit: { type: 'string', description: 'Of rate_limited and limit_reached: which limit' },
    scope: { enum: ['user', 'key'], description: 'Whose limit it is' },
    used: { type: 'number' },
    limit_value: { type: 'number' },
    free_at: { type: ['string', 'null'], format: 'date-time' },
  },
};

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body is answered as the first time, and creates nothing',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** Without the bounds to the fields that are described. */
function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => key !== 'additionalProperties' || inner !== false)
      .map(([key, inner]) => [key, open(inner)]),
  );
}
