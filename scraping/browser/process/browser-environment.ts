import { inheritedEnvironment } from '../../../runtime/settings/config.ts';

/**
 * The environment of a browser process. It runs untrusted code, and the worker's environment holds
 * the passwords of database, broker and mail server: so only an allow list of variables is
 * inherited.
 */
export const browserEnvironment = (): Record<string, string> => inheritedEnvironment(isForBrowser);

const isForBrowser = (name: string): boolean => NAMES.has(name) || PREFIXES.test(name);

const NAMES = new Set([
  ...['HOME', 'USER', 'LOGNAME', 'PATH', 'TMPDIR', 'TMP', 'TEMP'],
  ...['LANG', 'LANGUAGE', 'TZ', 'TZDIR'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'],
  // Paths of a browser and libraries outside of the system's.
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_LIBRARY_PATH', 'DYLD_FALLBACK_LIBRARY_PATH'],
  // Chromium's own, and of Debian's start script.
  ...['CHROME_DEVEL_SANDBOX', 'CHROME_LOG_FILE', 'CHROMIUM_FLAGS'],
]);
/** Languages, desktop folders, fonts, software rendering. */
const PREFIXES = /^(LC|XDG|FONTCONFIG|FC|LIBGL|MESA)_/;
