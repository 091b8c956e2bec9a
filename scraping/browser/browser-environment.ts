import { inheritedEnvironment } from '../../runtime/settings/config.ts';

/**
 * What a browser sees of the environment. It runs what strangers wrote, and a worker's own environment holds the passwords of
 * database, broker and mail server: so it gets what it needs by name, and nothing else.
 */
export const browserEnvironment = (): Record<string, string> => inheritedEnvironment(isForBrowser);

const isForBrowser = (name: string): boolean => NAMES.has(name) || PREFIXES.test(name);

const NAMES = new Set([
  ...['HOME', 'USER', 'LOGNAME', 'PATH', 'TMPDIR', 'TMP', 'TEMP'],
  ...['LANG', 'LANGUAGE', 'TZ', 'TZDIR'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'],
  // Where a browser or its libraries lie that are not the system's.
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_LIBRARY_PATH', 'DYLD_FALLBACK_LIBRARY_PATH'],
  // Chromium's own, and that of Debian's start script.
  ...['CHROME_DEVEL_SANDBOX', 'CHROME_LOG_FILE', 'CHROMIUM_FLAGS'],
]);
/** Languages, desktop folders, fonts, software rendering. */
const PREFIXES = /^(LC|XDG|FONTCONFIG|FC|LIBGL|MESA)_/;
