import { jest } from '@jest/globals';

// Real servers, browsers and processes on a busy machine; a test that waits for a state ends long before.
jest.setTimeout(180_000);
