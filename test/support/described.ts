import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type DescribedRoute, openApiDocument } from '../../api/openapi/document.ts';

/** An answer, as far as its description is concerned. */
interface DescribedAnswer {
  method: string;
  /** With the query. */
  path: string;
  status: number;
  contentType: string | null;
  /** Parsed, if it is JSON. */
  json: unknown;
}

/**
 * Checks answers of the API against its OpenAPI document; the returned function throws if an answer
 * has a status, a media type, a field or a value that is not described.
 */
export function createDescriptionCheck(routes: readonly DescribedRoute[]): (answer: DescribedAnswer) => void {
  const document = openApiDocument(routes, { strict: true });
  const ajv = new Ajv2020.default({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const patterns = routes.map((route) => ({
    ...route,
    pattern: new RegExp(`^${route.path.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+')}$`),
  }));
  const validators = new Map<string, ValidateFunction>();

  return ({ method, path, status, contentType, json }) => {
    const plain = path.split('?', 1)[0] ?? '';
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = patterns.find((known) => known.method === asked && known.pattern.test(plain));
    if (!route || method === 'HEAD') return;
    const described = route.path.replace(/:(\w+)/g, '{$1}');
    const operation = document.paths[described]?.[asked.toLowerCase()];
    // openapi.test.ts fails for it.
    if (!operation) return;
    const responses = operation.responses as Record<string, { content?: Record<string, unknown> }>;
    const key = status in responses ? String(status) : 'default';
    const what = `${asked} ${route.path}: ${status}`;
    if (key === 'default' && status < 400) throw new Error(`${what} is not described`);
    const { content } = responses[key] ?? {};
    if (!contentType) return;
    const type = contentType.split(';', 1)[0]?.trim() ?? '';
    if (content?.['*/*']) return;
    if (!content || !(type in content)) throw new Error(`${what} is not described as ${type}`);
    if (!/\bjson$/.test(type)) return;
    const pointer = `openapi#/paths/${escaped(described)}/${asked.toLowerCase()}/responses/${key}/content/${escaped(type)}/schema`;
    const validate = validators.get(pointer) ?? ajv.compile({ $ref: pointer });
    validators.set(pointer, validate);
    if (validate(json)) return;
    const wrong = validate.errors
      ?.slice(0, 5)
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
    throw new Error(`${what} is not as described: ${wrong?.join('; ')}`);
  };
}

/** As a part of a JSON pointer in a URI. */
const escaped = (part: string): string =>
  encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
