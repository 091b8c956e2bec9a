// Preloaded with `--import`: for this process, the name server resolves the names in TEST_NAMES
// (separated by commas) to loopback. Other queries go to the real one.
import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

const names = new Set((process.env.TEST_NAMES ?? '').split(','));
const real = dns.lookup;

dns.lookup = async (name, options) => {
  if (!names.has(name)) return real(name, options);
  const found = { address: '127.0.0.1', family: 4 };
  return options?.all ? [found] : found;
};
syncBuiltinESMExports();
