// The Python of the guides' examples.
import { spawnSync } from 'node:child_process';

/** As on the PATH, and Debian's own, for which the package python3-requests is. */
const CANDIDATES = ['python3', '/usr/bin/python3'];

/** A Python 3 that has the package `requests`; undefined if there is none. */
export const findPython = () =>
  CANDIDATES.find((python) => spawnSync(python, ['-c', 'import requests']).status === 0);
