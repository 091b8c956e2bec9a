import { jest } from '@jest/globals';

// Unit tests need no server: far less than system tests, and more than Jest's 5 s on a busy machine.
jest.setTimeout(60_000);
