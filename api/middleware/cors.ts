import cors from 'cors';
import type { Middleware } from '../http/route.ts';

/** Lets pages of these origins call the API. No credentials: the page itself sends the API key. */
export const createCors = (origins: string[]): Middleware =>
  cors({
    origin: origins.includes('*') ? '*' : origins,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: [
      ...['Location', 'ETag', 'Retry-After', 'X-Request-Id', 'Content-Disposition', 'Allow'],
      ...['Mcp-Session-Id', 'RateLimit', 'RateLimit-Policy'],
    ],
    maxAge: 600,
  });
