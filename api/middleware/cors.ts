import cors from 'cors';
import type { Middleware } from '../http/route.ts';

/** Lets pages of these origins call the API. Keys are sent by the page and never by the browser by itself, so there are no credentials. */
export const createCors = (origins: string[]): Middleware =>
  cors({
    origin: origins.includes('*') ? '*' : origins,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: ['Location', 'ETag', 'Retry-After', 'X-Request-Id', 'Content-Disposition', 'Allow'],
    maxAge: 600,
  });
